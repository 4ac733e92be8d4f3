// Filters, tabs, and the first drawing.

const INPUTS = ["from", "to", "port", "allowed-only"].map((id) => document.getElementById(id));
const TABS = [...document.querySelectorAll("[role=tab]")];
const STATUS = document.getElementById("status");

function update() {
  const [from, to, port, allowedOnly] = INPUTS;
  const wanted = readPort(port.value);
  port.setAttribute("aria-invalid", String(wanted === undefined));
  if (wanted === undefined) {
    STATUS.textContent = `"${port.value}" is not a port: write 8080, or udp 53.`;
    return;
  }
  STATE.port = wanted;
  Object.assign(STATE, findNames(from.value, to.value, wanted, allowedOnly.checked));
  STATE.rowPage = 0;
  STATE.columnPage = 0;
  const count = (list) => list.filter((index) => index !== OUTSIDE).length;
  STATUS.textContent = `${count(STATE.rows)} senders, ${count(STATE.columns)} receivers`;
  draw();
}

function draw() {
  if (document.getElementById("matrix").hidden) drawGraph();
  else drawMatrix();
}

function openTab(tab) {
  for (const each of TABS) {
    const isOpen = each === tab;
    each.setAttribute("aria-selected", String(isOpen));
    each.tabIndex = isOpen ? 0 : -1;
    document.getElementById(each.getAttribute("aria-controls")).hidden = !isOpen;
  }
  draw();
}

for (const tab of TABS) {
  tab.addEventListener("click", () => openTab(tab));
  tab.addEventListener("keydown", (event) => {
    if (event.key !== "ArrowLeft" && event.key !== "ArrowRight") return;
    const other = TABS.find((each) => each !== tab);
    openTab(other);
    other.focus();
  });
}

let waiting = 0;
for (const input of INPUTS) {
  input.addEventListener("input", () => {
    clearTimeout(waiting);
    waiting = setTimeout(update, NAMES.length > 200 ? 200 : 0);
  });
}
document.getElementById("filters").addEventListener("submit", (event) => event.preventDefault());

function summarise() {
  const sizes = new Array(DATA.outside.length).fill(0);
  for (const group of DATA.groups) sizes[group] += 1;
  let allowed = 0;
  CELLS.forEach((row, from) => row.forEach((cell, to) => {
    const own = from === to ? sizes[from] : 0;
    if (DATA.cells[cell].keys.length) allowed += sizes[from] * sizes[to] - own;
  }));
  const all = NAMES.length * (NAMES.length - 1);
  const shown = (number) => number.toLocaleString("en");
  document.getElementById("summary").textContent =
    `${shown(NAMES.length)} workloads; ${shown(allowed)} of ${shown(all)} pairs may talk.`;
}

summarise();
update();
