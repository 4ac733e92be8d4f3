"""Every diagnostic code: severity, what it means, what to do about it.

Codes are for ever: a code is never given a second meaning. Three letters name the
part that speaks: INP reading files, POL policies and inventory, LNT lint (policies
that are legal but hardly meant), OVL overlay, lock file and keys, TBL rule tables, GST
guest source (the compiler), RUN running a module.
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
    "INP0001": Code("error", "a file cannot be read", "check the path and its rights"),
    "INP0002": Code("error", "a file is not UTF-8", "save the file as UTF-8"),
    "INP0003": Code(
        "error",
        "a file is not YAML or JSON",
        "templates must be rendered before pepmesh reads them",
    ),
    "INP0004": Code("error", "a mapping has a key twice", "remove one of the two"),
    "INP0005": Code("error", "a value has the wrong type"),
    "INP0006": Code("error", "a file is nested too deeply"),
    "INP0007": Code(
        "error",
        "a YAML tag or alias has no meaning in a manifest",
        "write the value itself",
    ),
    "INP0008": Code("error", "a required field is missing"),
    "INP0009": Code("info", "files were skipped"),
    "INP0010": Code("error", "a folder has no manifests"),
    "INP0011": Code(
        "error",
        "a document is not a Kubernetes object",
        "every manifest has apiVersion and kind; move other files out of this folder",
    ),
    "INP0012": Code("info", "objects of other kinds were skipped"),
    "INP0013": Code(
        "error",
        "an object is of a kind that pepmesh does not read",
        "check the spelling, or leave out --strict",
    ),
    "INP0014": Code(
        "error", "the name of a file is not UTF-8", "rename the file, or its folder"
    ),
    # --- POL: policies and inventory ---------------------------------------------
    "POL0001": Code("error", "a policy has a field that is unknown"),
    "POL0003": Code(
        "error", "an operator is unknown", "use In, NotIn, Exists or DoesNotExist"
    ),
    "POL0004": Code("error", "a protocol is unknown", "use TCP, UDP or SCTP"),
    "POL0005": Code("error", "a policy type is unknown", "use Ingress or Egress"),
    "POL0006": Code("error", "a port is out of range", "ports are 1 to 65535"),
    "POL0007": Code(
        "error",
        "endPort does not fit port",
        "endPort needs a numeric port that is not above it",
    ),
    "POL0008": Code(
        "error",
        "a port name is invalid",
        "up to 15 of a-z, 0-9 and '-', with at least one letter",
    ),
    "POL0009": Code(
        "error", "a CIDR is invalid", "write it like 10.0.0.0/8 or 2001:db8::/32"
    ),
    "POL0010": Code(
        "error",
        "an exception is not a part of its ipBlock",
        "an exception subtracts from its own cidr and is smaller than it",
    ),
    "POL0011": Code(
        "error",
        "a peer says nothing, or two things",
        "a peer has podSelector, namespaceSelector or both; or ipBlock alone; "
        "namespaceSelector: {} means all pods",
    ),
    "POL0012": Code("error", "an operator and its values do not fit"),
    "POL0013": Code(
        "error",
        "a label is invalid",
        "up to 63 letters, digits, '-', '_' and '.', starting and ending with a letter "
        "or digit; keys may have a DNS name and '/' in front",
    ),
    "POL0014": Code("error", "two policies have one name", "rename one of them"),
    "POL0015": Code(
        "error",
        "an object is declared in two different ways",
        "give the version that is meant only",
    ),
    "POL0016": Code(
        "warning",
        "a policy is in a namespace that has no manifest",
        "check the spelling, or add the Namespace so that its labels are known",
    ),
    "POL0017": Code("warning", "two kinds of workloads have one name"),
    "POL0018": Code(
        "warning",
        "rules have no effect",
        "add the direction to policyTypes, or remove the rules",
    ),
    "POL0019": Code("error", "a name is invalid"),
    "POL0020": Code(
        "warning",
        "a named port cannot match at an ipBlock",
        "write the port as a number",
    ),
    "POL0021": Code("error", "an address is invalid"),
    "POL0022": Code("warning", "a container port has no number"),
    "POL0023": Code("warning", "pods of one owner differ in what policies look at"),
    "POL0024": Code(
        "warning",
        "a namespace's name label is not its name",
        "the API server sets kubernetes.io/metadata.name to the name of the namespace",
    ),
    "POL0025": Code(
        "error",
        "a policy is of another API or version than pepmesh reads",
    ),
    "POL0026": Code("warning", "a policy belongs to another engine"),
    "POL0027": Code(
        "error",
        "a kind is not one of its API",
        "check the spelling: a policy of a misspelt kind would be no policy",
    ),
    # Cluster-wide policies.
    "POL0030": Code("error", "an action is unknown"),
    "POL0031": Code(
        "error",
        "a tier is unknown",
        "use Admin or Baseline; an OverlayPolicy may be Normal too",
    ),
    "POL0032": Code("error", "a priority is out of range", "priorities are 0 to 1000"),
    "POL0033": Code(
        "error",
        "a subject says nothing, or two things",
        "a subject has namespaces or pods; namespaces: {} means all pods",
    ),
    "POL0034": Code("error", "a list has too few or too many entries"),
    "POL0035": Code(
        "error",
        "a peer says two things",
        "write two peers: a rule matches if one of them does",
    ),
    "POL0036": Code(
        "error",
        "a peer has no meaning where it stands",
        "networks, nodes and domainNames are for egress; domainNames only for Accept "
        "rules of the Admin tier",
    ),
    "POL0037": Code(
        "error",
        "a domain name is invalid",
        "write it like www.example.com, or *.example.com for all names below it",
    ),
    "POL0038": Code(
        "error",
        "a port entry says nothing, or two things",
        "write an entry for each port; leave the list out for all ports",
    ),
    "POL0039": Code(
        "error",
        "a port range does not rise",
        "start is below end; a single port is written as a number",
    ),
    "POL0040": Code(
        "warning",
        "a peer is unknown, so its rule fails closed",
        "use a pepmesh that knows this peer, or remove it",
    ),
    "POL0041": Code(
        "error",
        "two policies of one tier and priority are about one workload",
        "the API does not say which comes first: give them different priorities",
    ),
    "POL0042": Code(
        "error",
        "a BaselineAdminNetworkPolicy has another name than default",
        "a cluster has one BaselineAdminNetworkPolicy, called default",
    ),
    "POL0043": Code("error", "a mode is unknown", "use enforce or audit"),
    "POL0044": Code("warning", "a peer selects nodes, whose addresses are not known"),
    "POL0045": Code(
        "warning",
        "a required selector is missing",
        "write {} for a selector that selects everything",
    ),
    "POL0046": Code(
        "error",
        "something in an OverlayPolicy does not fit its tier",
        "Normal has policyTypes; Admin and Baseline have a priority, and rules that "
        "name their peers",
    ),
    "POL0047": Code(
        "error",
        "domainNames have no meaning where they stand",
        "domainNames are for egress rules that accept, in the tiers Admin and Normal",
    ),
    "POL0048": Code("error", "a rule of the tier Normal does more than accept"),
    "POL0049": Code(
        "error",
        "the mode of a policy is given twice, and differs",
        "remove one of the two",
    ),
    "POL0050": Code(
        "error",
        "an OverlayPolicy of a team is about more than its own namespace",
        "only policies in pepmesh-system may be",
    ),
    "POL0051": Code("error", "a block of overlay addresses is invalid"),
    "POL0052": Code(
        "error",
        "the name of an edge user or group is invalid",
        "users are values of the label pepmesh.dev/user, groups are names of labels",
    ),
    "POL0053": Code("error", "a rule asks for HTTP on a port that is not of TCP"),
    "POL0054": Code("error", "an entry of http says nothing"),
    "POL0055": Code("error", "an HTTP method is invalid"),
    "POL0056": Code("error", "a path or a header says nothing, or two things"),
    "POL0057": Code("error", "a path is not written in normal form"),
    "POL0058": Code("error", "a path has a character of regular expressions"),
    "POL0059": Code(
        "error",
        "a path template does not parse",
        "{*} is one whole segment, {**} is all that follows and comes last",
    ),
    "POL0060": Code("error", "a path could be read in two ways"),
    "POL0061": Code(
        "error",
        "a host is invalid",
        "write it like cart.shop.svc, or *.example.com for all names below it",
    ),
    "POL0062": Code(
        "warning",
        "a rule asks for PEPs on the way, which nothing checks yet",
        "traffic that it should accept is denied until this is implemented",
    ),
    "POL0063": Code(
        "error",
        "a rule that asks for PEPs on the way does not accept",
        "via is for rules with the action Accept",
    ),
    "POL0064": Code("error", "a header match is invalid"),
    "POL0065": Code(
        "warning",
        "a path has a * that stands for itself",
        "template: {*} is one segment, {**} at the end is everything below",
    ),
    # --- LNT: lint ------------------------------------------------------------------
    # Whom policies are about.
    "LNT0001": Code(
        "warning",
        "a policy selects no workload",
        "correct the selector, or remove the policy",
    ),
    "LNT0002": Code(
        "info",
        "a policy is about namespaces that have no workloads here",
        "give the manifests of the workloads too, if there are any",
    ),
    "LNT0003": Code(
        "warning",
        "a peer selects nobody, so nothing matches by it",
        "correct the selector, or give the manifests of those who are meant",
    ),
    "LNT0004": Code(
        "warning",
        "no edge endpoint has the user or group of a peer",
        "check the spelling, and that the endpoint's namespace is labelled "
        'pepmesh.dev/edge: "true"',
    ),
    "LNT0005": Code(
        "warning",
        "the exceptions of a block leave nothing of it",
        "remove the block, or an exception",
    ),
    "LNT0006": Code(
        "warning",
        "a block is the address of one pod",
        "select the pod by its labels: the next one has another address",
    ),
    # Rules that decide nothing.
    "LNT0010": Code(
        "warning",
        "earlier rules of its tier match all that a rule matches",
        "move the rule up (lower priority value, or earlier in its list), or remove it",
    ),
    "LNT0011": Code(
        "warning",
        "the Admin tier denies all that a rule accepts",
        "remove the rule, or ask whoever owns the Admin tier for an exception",
    ),
    "LNT0012": Code(
        "info",
        "an earlier tier decides all that a rule matches",
        "nothing to do if the rule is there for workloads to come",
    ),
    "LNT0013": Code(
        "info",
        "other rules accept all that a rule accepts",
        "remove the rule if it is not there for workloads to come",
    ),
    # Ports.
    "LNT0020": Code(
        "warning",
        "nobody where a rule leads has a port of that name",
        "give the container port that name, or write the number",
    ),
    "LNT0021": Code(
        "info",
        "nobody where a rule leads declares a port",
        "containers may listen on ports that they do not declare: check the number",
    ),
    "LNT0022": Code(
        "warning",
        "a rule speaks of a Service's port, which no container has",
        "write the targetPort: policies see the port of the container",
    ),
    # HTTP.
    "LNT0030": Code(
        "warning",
        "a rule asks for HTTP where another protocol is spoken",
        "remove `http` from the rule; or name the Service port http-..., or set its "
        "appProtocol, if it is HTTP",
    ),
    "LNT0031": Code(
        "info",
        "a rule asks for HTTP on all ports",
        "name the ports: what is not HTTP never matches this rule, not even its Deny",
    ),
    # What people forget.
    "LNT0040": Code(
        "warning",
        "workloads that are isolated for egress cannot ask for names",
        "allow egress to port 53, UDP and TCP, of the cluster's DNS",
    ),
    "LNT0041": Code(
        "info",
        "no policy guards the workloads of a namespace",
        "add a NetworkPolicy with podSelector: {} and policyTypes: [Ingress]",
    ),
    "LNT0042": Code(
        "warning",
        "a Deny cannot be enforced by a proxy",
        "close it by other means; see `pepmesh validate --enforcement`",
    ),
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
    "OVL0032": Code(
        "error",
        "a workload has more keys than its filter has room for",
        "give `pepmesh build` and `pepmesh keys bundle` a higher `--max-keys`: "
        "each key takes 133 bytes of a proxy's memory",
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
    "TBL0004": Code(
        "error",
        "path patterns of one port need too many states",
        "use fewer patterns with {*} beside each other, or prefixes",
    ),
    # --- GST: guest source ---------------------------------------------------------
    # Files and names.
    "GST0001": Code(
        "error", "a guest file cannot be read, or is not Python", "correct the file"
    ),
    "GST0002": Code(
        "error",
        "a form of import that guest Python does not have",
        "write `from module import name`",
    ),
    "GST0003": Code(
        "error",
        "an imported module or name does not exist",
        "guest modules are files beside the program, and filters.*",
    ),
    "GST0004": Code(
        "error",
        "a mutable global is imported",
        "import a function that returns it",
    ),
    "GST0005": Code(
        "error",
        "modules import each other in a circle",
        "move what both need to a third module",
    ),
    # Syntax outside the subset.
    "GST0010": Code(
        "error",
        "a statement that guest Python does not have",
        "see the list of statements in generator/compiler/DESIGN.md",
    ),
    "GST0011": Code(
        "error",
        "an expression that guest Python does not have",
        "see the list of expressions in generator/compiler/DESIGN.md",
    ),
    "GST0012": Code(
        "error",
        "something that cannot stand at module level, or only there",
        "modules hold imports, constants, globals, static objects, classes, functions",
    ),
    "GST0013": Code("error", "a name is not defined", "define or import it"),
    "GST0014": Code("error", "an attribute or method does not exist"),
    "GST0015": Code("error", "an override names no integer constant"),
    # Types and signatures.
    "GST0016": Code(
        "error",
        "an annotation that is not a type, or not one that can stand there",
        "types are bool, u8, u16, u32, u64, i32, i64, View, Buffer, Words and records",
    ),
    "GST0017": Code("error", "an annotation is missing", "write name: u32"),
    "GST0018": Code("error", "a name is defined twice", "rename one of them"),
    "GST0019": Code(
        "error",
        "a form of parameter that guest Python does not have",
        "write plain parameters, and pass every argument",
    ),
    "GST0020": Code("error", "an unknown decorator"),
    "GST0021": Code("error", "wrong arguments"),
    "GST0022": Code("error", "a value of the wrong type"),
    # Integers.
    "GST0023": Code("error", "a value that its place cannot hold"),
    "GST0024": Code(
        "error",
        "an intermediate value that 64 bits cannot hold",
        "convert a part first, as in u32(...) or u64(...)",
    ),
    # Locals and control.
    "GST0025": Code("error", "a condition is not bool"),
    "GST0026": Code("error", "a local may have no value"),
    "GST0027": Code("error", "a literal does not say which type a local has"),
    "GST0028": Code(
        "error",
        "a target that cannot be assigned to",
        "assign to a local, a global, a field or an element",
    ),
    "GST0029": Code(
        "error",
        "several results are not taken apart as they are",
        "write a, b = f()",
    ),
    "GST0030": Code(
        "error",
        "a value must be known when the module is built",
        "use literals and other constants",
    ),
    "GST0031": Code(
        "error",
        "a function can end without returning its result",
        "return on every path",
    ),
    "GST0032": Code(
        "error",
        "a division whose operands may be negative, or by zero",
        "guest Python divides numbers from 0 up only",
    ),
    "GST0033": Code("error", "a shift by too much", "write x << (n & 31)"),
    "GST0034": Code(
        "error",
        "an index, offset or bound may be negative",
        "convert it: u32(...)",
    ),
    "GST0035": Code("error", "an index is certainly outside"),
    "GST0036": Code(
        "error",
        "functions call each other in a circle",
        "write a loop",
    ),
    "GST0037": Code("error", "the variable of a loop is used for something else"),
    # The border of the module.
    "GST0040": Code("error", "an export has a signature that the host does not call"),
    "GST0041": Code(
        "error",
        "an exported name looks like a callback but is none",
        "callbacks are listed in generator/compiler/callbacks.py",
    ),
    "GST0042": Code("error", "an exported name that is the compiler's", "rename it"),
    "GST0043": Code("error", "a fault handler is malformed", "keep one handler"),
    "GST0044": Code("error", "a hostcall is declared wrongly"),
    "GST0045": Code(
        "error",
        "a module exports nothing",
        "mark the callbacks with @export",
    ),
    "GST0046": Code(
        "error", "a module needs too much memory", "make its buffers smaller"
    ),
    "GST0047": Code("error", "code is nested too deeply", "move a part to a function"),
    "GST0048": Code(
        "error",
        "a hostcall that the host does not have, or has with another signature",
        "filters/hostcalls.py and filters/wasi.py declare all of them",
    ),
    # --- RUN: running a module ------------------------------------------------------
    "RUN0001": Code(
        "error",
        "a file is not a Wasm module that can be run",
        "make modules with `pepmesh build` or `pepmesh py2wasm`",
    ),
    "RUN0002": Code(
        "error",
        "a module imports what Envoy's proxy-wasm ABI 0.2.1 does not have",
        "declare hostcalls as filters/hostcalls.py does",
    ),
    "RUN0003": Code(
        "error",
        "a module does not export what Envoy needs",
        "make modules with `pepmesh build` or `pepmesh py2wasm`",
    ),
    "RUN0004": Code(
        "error",
        "a filter called a part of Envoy that pepmesh does not emulate",
        "run this filter in a real Envoy",
    ),
    "RUN0010": Code(
        "error",
        "a name stands for nobody who could send or receive",
        "write NAMESPACE/NAME; `pepmesh simulate` prints all names",
    ),
    "RUN0011": Code("error", "a port is not there, or is no port"),
    "RUN0012": Code(
        "error",
        "a module was built from other manifests, or with another lock file",
        "give the manifests and the lock file that the module was built from",
    ),
    "RUN0013": Code(
        "error",
        "a lock file does not describe the manifests",
        "run `pepmesh build` with this lock file first",
    ),
    "RUN0014": Code(
        "error",
        "an output would overwrite an input",
        "give another name for the output",
    ),
    "RUN0015": Code("warning", "a revoked workload was left out"),
    "RUN0016": Code(
        "error",
        "a request goes over another protocol than TCP",
        "leave the protocol out, or what is said about the request",
    ),
    "RUN0017": Code("error", "a user or a group has no endpoint"),
    "RUN0018": Code("error", "no client can send such a request"),
    "RUN0019": Code(
        "error",
        "a workload is of another kind",
        "leave the kind out: a name alone is any kind",
    ),
    "RUN0020": Code(
        "error",
        "a test file, or a folder of tests, has no cases",
        "files called *_test.yaml hold objects of kind PolicyTest with a list `cases`",
    ),
    "RUN0021": Code(
        "error",
        "two test cases of one file have one name",
        "say in each name what is special about the case",
    ),
    "RUN0022": Code("error", "a test case expects what cannot be"),
    "RUN0023": Code(
        "error",
        "there is no test case to run",
        "write cases to a *_test.yaml beside the policies, or name it with --tests",
    ),
    "RUN0024": Code(
        "error",
        "test cases touch fewer rules than --min-coverage asks for",
        "--coverage lists the rules with the number of cases that each decides",
    ),
    "RUN0025": Code("error", "a starter cannot be made for a workload"),
    "RUN0026": Code(
        "error", "a file of a starter is there already", "--force overwrites it"
    ),
    "RUN0030": Code(
        "error",
        "a traffic file has no flows",
        "see `pepmesh simulate --help` for what a traffic file looks like",
    ),
    "RUN0031": Code(
        "error",
        "a line of a CSV file of traffic cannot be read",
        "the first line names the columns: from,to,port[,protocol,method,path,host]",
    ),
    "RUN0040": Code(
        "error",
        "git cannot answer",
        "revisions need a git repository around; folders and modules do not",
    ),
    "RUN0041": Code(
        "error",
        "a git revision is not there",
        "a shallow clone has few revisions: fetch the one that is compared with",
    ),
    "RUN0042": Code(
        "error",
        "a path is not in a git revision",
        "paths are looked up in the revision, from the top of the repository",
    ),
    "RUN0043": Code("error", "a link of a git revision leads out of it"),
    "RUN0044": Code("info", "a submodule is not part of a git revision"),
    "RUN0045": Code("info", "a comparison leaves out what one side cannot know"),
}
