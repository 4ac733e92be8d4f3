"""Every diagnostic code: severity, what it means, what to do about it.

Codes are for ever: a code is never given a second meaning. Three letters name the
part that speaks: INP reading files, POL policies and inventory, OVL overlay, lock
file and keys, TBL rule tables, GST guest source (the compiler), RUN running a module.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import Final, Literal

SEVERITIES: Final[dict[str, Literal["error", "warning", "info"]]] = {
    "error": "error",
    "warning": "warning",
    "info": "info",
}


@dataclass(frozen=True, slots=True)
class Code:
    """Severity, meaning and the default hint of one code."""

    severity: Literal["error", "warning", "info"]
    meaning: str
    hint: str = ""


CODES: Final[dict[str, Code]] = {
    # --- INP: reading files ------------------------------------------------------
    # --- POL: policies and inventory ---------------------------------------------
    # --- OVL: overlay, lock file, keys -------------------------------------------
    "OVL0001": Code(
        "error",
        "two members of one workload differ in a named port that a policy uses",
        "give one of them a service account of its own, or a label that a policy "
        "selects by",
    ),
    "OVL0002": Code(
        "error",
        "two targets have one host name",
        "rename one of the two objects",
    ),
    "OVL0003": Code(
        "warning",
        "a Service's target port is missing in a workload that it selects",
        "name the port in the containers' ports, or use its number as targetPort",
    ),
    "OVL0004": Code(
        "error",
        "a name or label has characters that an identity cannot carry",
        "use what Kubernetes allows: letters, digits, '-', '_', '.' and '/'",
    ),
    "OVL0005": Code(
        "warning",
        "a host-network workload is not an endpoint of the overlay",
        "only the other side of its traffic can be enforced, by address",
    ),
    "OVL0006": Code("error", "no id is left to give"),
    "OVL0007": Code(
        "error",
        "an overlay name or id cannot be used",
        "a name is a DNS label (a-z, 0-9, '-'), an id is 10 lower-case hex digits",
    ),
    "OVL0010": Code("error", "a file is not YAML"),
    "OVL0011": Code("error", "a file does not have the expected shape"),
    "OVL0012": Code(
        "error",
        "a lock file belongs to another overlay",
        "use the overlay's own lock file, or its name",
    ),
    "OVL0013": Code(
        "error",
        "two rows have one id",
        "two branches gave out the same id: take the lock file of the branch that is "
        "rolled out and build again; never edit an id",
    ),
    "OVL0014": Code(
        "error",
        "a lock row was changed by hand or comes from another overlay",
        "restore the row from version control; only `revoked` is for people to set",
    ),
    "OVL0015": Code(
        "error",
        "two lock rows describe one thing",
        "take the lock file of the branch that is rolled out and build again",
    ),
    "OVL0016": Code(
        "error",
        "a file has conflict markers of an unfinished merge",
        "take the lock file of the branch that is rolled out and build again",
    ),
    "OVL0017": Code(
        "error",
        "a file has a version or kind that this pepmesh does not know",
        "use a pepmesh at least as new as the one that wrote it",
    ),
    "OVL0018": Code(
        "warning",
        "a workload starts revoked, since it takes the place of a revoked one",
        "remove `revoked: true` from its lock row once it may be trusted",
    ),
    "OVL0019": Code(
        "error",
        "lock rows do not fit each other",
        "restore the file from version control",
    ),
    "OVL0020": Code(
        "error",
        "a master secret is not 32 bytes in base64",
        "make secrets with `pepmesh keys init`",
    ),
    "OVL0021": Code(
        "error",
        "a master key file has no active key, or more than two",
        "mark old keys with `retired: true`",
    ),
    "OVL0022": Code(
        "error",
        "a file that must not be overwritten exists",
        "move the file away if you are sure that nothing uses its keys",
    ),
    "OVL0023": Code(
        "error",
        "master keys belong to another overlay",
        "use the key file that was made for this overlay",
    ),
    "OVL0024": Code("error", "a file cannot be written"),
    "OVL0030": Code(
        "error",
        "a key bundle is malformed",
        "make it again with `pepmesh keys bundle`",
    ),
    "OVL0031": Code(
        "error",
        "a workload or target is not in the overlay, or is revoked",
    ),
    "OVL0040": Code(
        "error",
        "a plugin configuration cannot be written",
    ),
    "OVL0050": Code(
        "error",
        "a text is not an overlay address",
        "overlay addresses look like fdaa:bbbb:cccc:0001:0000:0007:0a00:0001",
    ),
    # --- TBL: rule tables ---------------------------------------------------------
    "TBL0001": Code(
        "error",
        "a name does not fit the rule table",
        "a text of the table has at most 65,535 bytes",
    ),
    "TBL0002": Code(
        "error",
        "the filter refuses a rule table",
        "build the module again with this version of pepmesh",
    ),
    "TBL0003": Code(
        "error",
        "a module has no rule table",
        "give a module that `pepmesh build` wrote",
    ),
    # --- GST: guest source ---------------------------------------------------------
    # --- RUN: running a module ------------------------------------------------------
}
