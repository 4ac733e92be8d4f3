"""Hundreds of policy probes through real Envoys, in seconds.

    case -> scenario (model, probes) -> parcel (many sidecars in one Envoy) -> verdicts

What should happen is what the case's own file says, never the oracle.
"""
