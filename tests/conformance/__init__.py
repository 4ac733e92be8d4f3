"""Cases written by others, and our own, through the oracle and the built module.

    source (netpol_analyzer, ...) -> jobs -> judge -> results -> report

`python -m tests.conformance` prints what agrees, what differs and what does not
apply, with the reason of each, and that no file of the cases is left out.
"""
