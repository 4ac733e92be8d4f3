"""What the oracle needs to know of labels and blocks, on its own.

Part of `oracle`. `selector.py` does the same for the compiler; this file shares
nothing with it, since a shared mistake would agree with itself.
"""

from __future__ import annotations

from generator.policy.model import (
    BlockPeer,
    IPAddress,
    Labels,
    LabelSelector,
    Operator,
    Requirement,
)


def block_contains(block: BlockPeer, address: IPAddress | None) -> bool:
    """Tell whether a block has an address: in the cidr, in none of its exceptions.

    An address that is not known is in no block.
    """
    if address is None:
        return False
    return address in block.cidr and not any(
        address in exception for exception in block.excepts
    )


def selects(selector: LabelSelector, labels: Labels) -> bool:
    """Tell whether labels meet a selector: "The requirements are ANDed."."""
    return all(meets(requirement, labels) for requirement in selector.requirements)


def meets(requirement: Requirement, labels: Labels) -> bool:
    """Tell whether labels meet a requirement, told apart by whether the key is there.

    "There is a match in the following cases: [...] (4) The operator is DoesNotExist
    or NotIn and Labels does not have the Requirement's key."
    """
    if requirement.key not in labels:
        return requirement.operator in (Operator.NOT_IN, Operator.DOES_NOT_EXIST)
    is_listed = any(labels[requirement.key] == value for value in requirement.values)
    return {
        Operator.EXISTS: True,
        Operator.DOES_NOT_EXIST: False,
        Operator.IN: is_listed,
        Operator.NOT_IN: not is_listed,
    }[requirement.operator]
