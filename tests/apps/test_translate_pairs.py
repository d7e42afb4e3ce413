"""Pairs from files: what is read, what is skipped and why, what is refused."""

import gzip
import re

import pytest

from regard.apps.translate.pairs import Pair, clean_text, read_pairs

GOOD = "".join(f"cat {n}\tкот {n}\tCC-BY\n" for n in range(300))


def write(path, content):
    path.write_bytes(content if isinstance(content, bytes) else content.encode())
    return path


@pytest.mark.parametrize(
    "prepare",
    [
        lambda text: text.encode(),
        lambda text: b"\xef\xbb\xbf" + text.encode(),
        lambda text: text.replace("\n", "\r\n").encode(),
        lambda text: gzip.compress(text.encode()),
        lambda text: text.rstrip("\n").encode(),
    ],
    ids=["plain", "bom", "crlf", "gzip", "no_last_newline"],
)
def test_the_same_pairs_in_every_wrapping(tmp_path, prepare):
    found = read_pairs(write(tmp_path / "pairs.tsv", prepare(GOOD)))
    assert found.pairs == [Pair(f"cat {n}", (f"кот {n}",)) for n in range(300)]
    assert found.bad == []


def test_texts_are_nfc_with_single_spaces(tmp_path):
    decomposed = "e\u0301te\u0301"
    path = write(tmp_path / "pairs.tsv", f" a\u00a0 b \t{decomposed}\x07 !\n")
    assert read_pairs(path).pairs == [Pair("a b", ("\u00e9t\u00e9 !",))]


def test_a_line_ends_at_lf_alone(tmp_path):
    path = write(tmp_path / "pairs.tsv", "a\u2028b\u0085c\tx\n")
    assert read_pairs(path).pairs == [Pair("a b c", ("x",))]


@pytest.mark.parametrize(
    ("line", "reason"),
    [
        (b"no tab here", "no tab between source and target"),
        (b"", "empty line"),
        (b"source\t \t", "empty target"),
        (b"\ttarget", "empty source"),
        (b"bad \xff byte\tx", r"not UTF-8 \(byte 0xff at position 5\)"),
        (b"x" * 2001 + b"\ty", r"longer than 2000 characters \(2001 characters\)"),
    ],
)
def test_a_bad_line_is_told_and_skipped(tmp_path, line, reason):
    lines = GOOD.encode().splitlines()
    lines.insert(41, line)
    path = write(tmp_path / "pairs.tsv", b"\n".join(lines) + b"\n")
    found = read_pairs(path)
    assert len(found.pairs) == 300
    (bad,) = found.bad
    assert re.fullmatch(rf"{re.escape(str(path))}:42: {reason}", str(bad))
    assert "1 lines skipped: 1 x " + bad.reason in found.report()


def test_one_percent_of_bad_lines_passes_and_more_does_not(tmp_path):
    good = [f"a{n}\tb" for n in range(198)]
    path = write(tmp_path / "pairs.tsv", "\n".join([*good, "bad", "bad"]))
    assert len(read_pairs(path).bad) == 2
    write(path, "\n".join([*good[:197], "bad", "", "bad"]))
    with pytest.raises(ValueError, match=r"1\.5 % of the lines are bad") as caught:
        read_pairs(path)
    message = str(caught.value)
    assert "2 x no tab between source and target, 1 x empty line" in message
    assert f"{path}:198: no tab" in message


def test_the_report_shows_the_first_bad_lines_only(tmp_path):
    path = write(tmp_path / "pairs.tsv", GOOD * 3 + "bad\n" * 9)
    report = read_pairs(path).report().splitlines()
    assert len(report) == 1 + 5 + 1
    assert report[-1].strip() == "... and 4 more"


@pytest.mark.parametrize(
    ("references", "expected"),
    [(1, ("un",)), (2, ("un", "deux")), (None, ("un", "deux", "trois"))],
)
def test_references(tmp_path, references, expected):
    path = write(tmp_path / "pairs.tsv", "one\tun\tdeux\t\ttrois\tun\n")
    assert read_pairs(path, references=references).pairs == [Pair("one", expected)]


def test_tatoeba_export_with_sentence_numbers(tmp_path):
    path = write(tmp_path / "pairs.tsv", "12\tHi.\t77\tSalut.\n13\tRun!\t78\tCours !\n")
    found = read_pairs(path, references=None)
    assert found.pairs == [Pair("Hi.", ("Salut.",)), Pair("Run!", ("Cours !",))]


def test_numbers_as_sentences_are_no_export(tmp_path):
    path = write(tmp_path / "pairs.tsv", "1\tun\n2\tdeux\n")
    assert read_pairs(path).pairs == [Pair("1", ("un",)), Pair("2", ("deux",))]


def test_anki_note_export(tmp_path):
    text = (
        "#separator:tab\n#html:true\n#guid column:1\n#notetype column:2\n"
        "#deck column:3\n#tags column:6\n"
        'x1\tBasic\tRu\t"<b>Say</b> ""hi"" &amp; go"\tСкажи\ttag\n'
    )
    found = read_pairs(write(tmp_path / "notes.txt", text))
    assert found.pairs == [Pair('Say "hi" & go', ("Скажи",))]
    assert found.bad == []


def test_anki_export_with_another_separator_is_refused(tmp_path):
    path = write(tmp_path / "notes.txt", "#separator:semicolon\na;b\n")
    with pytest.raises(ValueError, match=r"notes\.txt: the columns must be separated"):
        read_pairs(path)


def test_two_aligned_files(tmp_path):
    source = write(tmp_path / "a.en", "one\ntwo\tX\n")
    target = write(tmp_path / "a.fr.gz", gzip.compress(b"un\ndeux\n"))
    found = read_pairs(source, target)
    assert found.pairs == [Pair("one", ("un",)), Pair("two X", ("deux",))]


def test_aligned_files_of_different_lengths(tmp_path):
    source = write(tmp_path / "a.en", "one\ntwo\n")
    target = write(tmp_path / "a.fr", "un\n")
    with pytest.raises(ValueError, match=r"a\.fr ends after line 1"):
        read_pairs(source, target)


def test_an_undecodable_side_names_its_file(tmp_path):
    source = write(tmp_path / "a.en", "x\n" * 150)
    target = write(tmp_path / "a.fr", b"y\n" * 149 + b"\xc3\n")
    (bad,) = read_pairs(source, target).bad
    assert str(bad).startswith(f"{target}:150: not UTF-8 (byte 0xc3")


@pytest.mark.parametrize(
    ("content", "message"),
    [
        (b"", "the file is empty"),
        ("a\tb\n".encode("utf-16"), "the text is UTF-16. Save it as UTF-8"),
        ("dog\tпёс\n".encode("cp1251"), "save the file as UTF-8 (iconv"),
        (gzip.compress(GOOD.encode())[:-20], "the gzip stream is broken"),
    ],
)
def test_an_unusable_file(tmp_path, content, message):
    path = write(tmp_path / "pairs.tsv", content)
    with pytest.raises(ValueError, match=re.escape(message)):
        read_pairs(path)


def test_no_file_and_a_folder(tmp_path):
    with pytest.raises(ValueError, match="it is missing"):
        read_pairs(tmp_path / "none.tsv")
    with pytest.raises(ValueError, match="it is a folder"):
        read_pairs(tmp_path)


def test_arguments_out_of_range(tmp_path):
    path = write(tmp_path / "pairs.tsv", GOOD)
    with pytest.raises(ValueError, match=r"references must be .* Got 0"):
        read_pairs(path, references=0)
    with pytest.raises(ValueError, match=r"max_characters must be .* Got -1"):
        read_pairs(path, max_characters=-1)


def test_clean_text_keeps_joiners():
    assert clean_text("a\u200db") == "a\u200db"


def test_real_pairs_are_all_read(shared):
    found = read_pairs(shared / "data/tatoeba-eng-rus/train.tsv")
    assert len(found.pairs) == 45190 and not found.bad
    multiple = read_pairs(
        shared / "data/tatoeba-eng-rus/test.multiref.tsv", references=None
    )
    assert max(len(pair.references) for pair in multiple.pairs) > 1


def test_empty_lines_at_the_end_are_not_counted(tmp_path):
    path = tmp_path / "pairs.tsv"
    path.write_text("a\tb\n" * 10 + "\n\n", "utf-8")
    found = read_pairs(path)
    assert len(found.pairs) == 10 and not found.bad


@pytest.mark.parametrize("inside", ["\r", "\0"])
def test_a_line_that_is_not_one_line_is_bad(tmp_path, inside):
    path = tmp_path / "pairs.tsv"
    path.write_bytes(b"a\tb\n" * 300 + f"c{inside}d\te\n".encode())
    found = read_pairs(path)
    assert len(found.pairs) == 300
    assert "not one line of text" in str(found.bad[0])


def test_line_ends_of_another_age_are_refused(tmp_path):
    path = tmp_path / "pairs.tsv"
    path.write_bytes(b"a\tb\r" * 50)
    with pytest.raises(ValueError):
        read_pairs(path)
