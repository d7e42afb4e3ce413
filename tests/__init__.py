"""The tests mirror `src`; the suites that cross it have folders of their own."""
