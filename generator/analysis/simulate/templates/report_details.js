// The panel at the side: one flow, or one name, and the rules behind it.

const DETAILS = document.getElementById("details");

function showDetails(...children) {
  DETAILS.replaceChildren(...children);
  DETAILS.scrollTop = 0;
}

function heading(level, text) {
  return make(level, {}, text);
}

function showFlow(source, destination) {
  if (source === OUTSIDE) return showOutside(destination, "ingress");
  if (destination === OUTSIDE) return showOutside(source, "egress");
  const flow = flowOf(source, destination);
  return showDetails(
    heading("h2", `${nameOf(source)} \u2192 ${nameOf(destination)}`),
    verdictOf(flow.cell),
    heading("h3", `${nameOf(source)}, sending`),
    sideList(flow.egress),
    heading("h3", `${nameOf(destination)}, receiving`),
    sideList(flow.ingress));
}

function showOutside(index, direction) {
  const isEgress = direction === "egress";
  const ends = isEgress ? [nameOf(index), OUTSIDE_NAME] : [OUTSIDE_NAME, nameOf(index)];
  const parts = outsideOf(index, direction).flatMap((row) => [
    heading("h3", row.range),
    verdictOf(row.cell),
    sideList(isEgress ? row.egress : row.ingress),
  ]);
  showDetails(heading("h2", ends.join(" \u2192 ")), ...parts);
}

// All that one name may send and receive; each line leads to its flow.
function showName(index) {
  const others = NAMES.map((_, other) => other).filter((other) => other !== index);
  showDetails(
    heading("h2", nameOf(index)),
    heading("h3", "Sends to"),
    peerList([OUTSIDE, ...others].map((other) => [index, other])),
    heading("h3", "Receives from"),
    peerList([OUTSIDE, ...others].map((other) => [other, index])));
}

function peerList(flows) {
  const list = make("ul", {class: "peers"});
  for (const [source, destination] of flows) {
    if (!reaches(source, destination, null)) continue;
    const isOutside = source === OUTSIDE || destination === OUTSIDE;
    const text = isOutside ? "some or all ports" : cellText(flowOf(source, destination).cell);
    const button = make("button", {type: "button"}, `${nameOf(source)} \u2192 ${nameOf(destination)}`);
    button.addEventListener("click", () => {
      showFlow(source, destination);
      DETAILS.focus();
    });
    list.append(make("li", {}, button, make("span", {}, text)));
  }
  return list.childElementCount ? list : make("p", {class: "hint"}, "Nobody.");
}

function verdictOf(cell) {
  const kind = kindOf(cell);
  const texts = {
    all: "Allowed on all ports",
    ports: `Allowed on ${cell.ports}`,
    some: "Some HTTP requests are allowed",
    none: "Denied",
  };
  const verdict = make("p", {class: `verdict ${kind}`}, texts[kind]);
  const requests = cell.byRequest.map((each) =>
    make("li", {}, `${each.ports}: `, ...codes(each.http)));
  if (requests.length === 0) return verdict;
  return make("div", {}, verdict, make("p", {}, "By request:"), make("ul", {}, ...requests));
}

function codes(texts) {
  return texts.flatMap((text, place) => [place ? ", " : "", make("code", {}, text)]);
}

// A side has one entry for each kind of pod that the owner has.
function sideList(sides) {
  const parts = sides.map((side, place) => {
    const list = make("ul", {class: "rules"});
    if (side.note) list.append(make("li", {class: "none"}, side.note));
    for (const entry of side.entries || []) list.append(entryItem(entry));
    if (sides.length === 1) return list;
    return make("div", {}, make("p", {class: "hint"}, `Some of its pods (${place + 1} of ${sides.length}):`), list);
  });
  return make("div", {}, ...parts);
}

const VERBS = {all: "allowed", some: "by request", none: "denied"};

function entryItem(entry) {
  const item = make("li", {class: entry.access},
    make("strong", {}, `${entry.ports} ${VERBS[entry.access]}`));
  for (const number of entry.byRequest) item.append(ruleLine(DATA.rules[number]));
  if (entry.rule !== null) item.append(ruleLine(DATA.rules[entry.rule], entry.access === "some"));
  else if (entry.access === "all") item.append(make("p", {}, "No policy isolates it in this direction."));
  return item;
}

function ruleLine(rule, isOtherwise) {
  const line = make("p", {});
  if (isOtherwise) line.append("What is not HTTP: ");
  line.append(make("code", {}, rule.name));
  if (rule.http.length) line.append(": ", ...codes(rule.http));
  line.append(make("span", {class: "place"}, rule.place));
  if (rule.isDefault) line.append(make("span", {class: "why"}, "It isolates the workload, and no rule allows this."));
  return line;
}
