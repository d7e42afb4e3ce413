// Five letters of 85, "(" to "|" with "}" for "<", are four bytes; all are raw deflate.
const unpack = async (id) => {
const letters = document.getElementById(id).textContent;
const packed = new DataView(new ArrayBuffer(4 * Math.ceil(letters.length / 5)));
for (let at = 0; at < letters.length; at += 5) {
let word = 0;
for (let next = at; next < at + 5; next += 1) {
const code = letters.charCodeAt(next) || 124;
word = 85 * word + (code === 125 ? 60 : code) - 40;
}
packed.setUint32((at / 5) * 4, word);
}
const bytes = packed.buffer.slice(0, Math.floor((letters.length / 5) * 4));
return new Response(new Blob([bytes]).stream().pipeThrough(new DecompressionStream("deflate-raw"))).arrayBuffer();
};
