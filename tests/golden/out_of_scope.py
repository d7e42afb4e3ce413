"""Classes without a counterpart yet, and what they wait for."""

LATER = {
    "attention inside TensorFlow Addons' cell wrapper": ["tfa.AttentionWrapper"],
}
NOT_TAKEN_OVER = {}
OUT_OF_SCOPE = {
    name: f"later mechanism: {mechanism}"
    for mechanism, names in LATER.items()
    for name in names
} | {
    name: f"published defect, not taken over: {why}"
    for name, why in NOT_TAKEN_OVER.items()
}
