// The matrix: as many rows and columns as fit are in the page, the others on others.

const PAGE = 60;
const TABLE = document.getElementById("table");
const PAGER = document.getElementById("pager");

const STATE = {rows: [], columns: [], rowPage: 0, columnPage: 0, port: null, current: [0, 0]};

// Choose the names to show; OUTSIDE comes first.
function findNames(from, to, port, isAllowedOnly) {
  const all = [OUTSIDE, ...NAMES.map((_, index) => index)];
  let rows = all.filter((index) => matches(index, from));
  let columns = all.filter((index) => matches(index, to));
  if (isAllowedOnly || port) {
    const used = new Set();
    rows = rows.filter((source) => {
      let isUsed = false;
      for (const destination of columns) {
        if (reaches(source, destination, port)) {
          used.add(destination);
          isUsed = true;
        }
      }
      return isUsed;
    });
    columns = columns.filter((index) => used.has(index));
  }
  return {rows, columns};
}

function drawMatrix() {
  const rows = STATE.rows.slice(STATE.rowPage * PAGE, (STATE.rowPage + 1) * PAGE);
  const columns = STATE.columns.slice(STATE.columnPage * PAGE, (STATE.columnPage + 1) * PAGE);
  const head = make("tr", {}, make("td", {class: "corner"}, "from \\ to"));
  for (const column of columns) {
    head.append(make("th", {scope: "col"}, make("span", {}, nameButton(column))));
  }
  const body = make("tbody");
  for (const row of rows) {
    const line = make("tr", {}, make("th", {scope: "row"}, nameButton(row)));
    for (const column of columns) line.append(matrixCell(row, column));
    body.append(line);
  }
  TABLE.replaceChildren(make("thead", {}, head), body);
  STATE.current = [0, 0];
  const first = cellAt(0, 0);
  if (first) first.tabIndex = 0;
  drawPager();
}

function nameButton(index) {
  const button = make("button", {type: "button", class: index === OUTSIDE ? "name outside" : "name"}, nameOf(index));
  button.disabled = index === OUTSIDE;
  button.addEventListener("click", () => showName(index));
  return button;
}

function matrixCell(source, destination) {
  const td = make("td", {tabindex: "-1"});
  const cells = cellsOf(source, destination);
  if (cells.length === 0) {
    td.className = "cell self";
    td.setAttribute("aria-label", source === destination ? "itself" : "not judged here");
    return td;
  }
  const open = cells.filter((cell) => isAllowed(cell, STATE.port));
  const kinds = new Set(open.map(kindOf));
  const kind = ["all", "ports", "some"].find((each) => kinds.has(each)) || "none";
  const isPart = source === OUTSIDE || destination === OUTSIDE;
  td.className = `cell ${kind}`;
  td.textContent = labelOf(open, isPart && cells.length > 1);
  const what = isPart ? (open.length ? td.textContent : "nothing") : cellText(cells[0]);
  td.setAttribute("aria-label", `${nameOf(source)} to ${nameOf(destination)}: ${what}`);
  td.title = td.getAttribute("aria-label");
  td.addEventListener("click", () => choose(td, source, destination));
  return td;
}

function labelOf(open, isPart) {
  if (open.length === 0) return "\u00b7";
  if (!isPart) return open[0].label;
  return open.length === 1 ? "1 range" : `${open.length} ranges`;
}

function choose(td, source, destination) {
  for (const old of TABLE.querySelectorAll("[aria-selected]")) old.removeAttribute("aria-selected");
  td.setAttribute("aria-selected", "true");
  moveTo(td.parentElement.rowIndex - 1, td.cellIndex - 1);
  showFlow(source, destination);
}

function cellAt(row, column) {
  const line = TABLE.tBodies[0] && TABLE.tBodies[0].rows[row];
  return line ? line.cells[column + 1] : undefined;
}

function moveTo(row, column) {
  const next = cellAt(row, column);
  if (!next || column < 0) return;
  const old = cellAt(...STATE.current);
  if (old) old.tabIndex = -1;
  next.tabIndex = 0;
  next.focus();
  STATE.current = [row, column];
}

const MOVES = {ArrowUp: [-1, 0], ArrowDown: [1, 0], ArrowLeft: [0, -1], ArrowRight: [0, 1]};

TABLE.addEventListener("keydown", (event) => {
  if (!event.target.classList.contains("cell")) return;
  const [row, column] = STATE.current;
  if (event.key === "Enter" || event.key === " ") event.target.click();
  else if (event.key === "Home") moveTo(row, 0);
  else if (event.key === "End") moveTo(row, TABLE.rows[0].cells.length - 2);
  else if (MOVES[event.key]) moveTo(row + MOVES[event.key][0], column + MOVES[event.key][1]);
  else return;
  event.preventDefault();
});

function drawPager() {
  PAGER.replaceChildren(
    ...pagerOf("rows", STATE.rows.length, "rowPage"),
    ...pagerOf("columns", STATE.columns.length, "columnPage"));
}

function pagerOf(what, count, field) {
  if (count <= PAGE) return [];
  const page = STATE[field];
  const last = Math.min(count, (page + 1) * PAGE);
  const turn = (label, to, isPossible) => {
    const button = make("button", {type: "button", "aria-label": `${label} ${what}`}, label);
    button.disabled = !isPossible;
    button.addEventListener("click", () => {
      STATE[field] = to;
      drawMatrix();
    });
    return button;
  };
  return [make("span", {class: "page"},
    turn("Previous", page - 1, page > 0),
    ` ${what} ${page * PAGE + 1} to ${last} of ${count} `,
    turn("Next", page + 1, last < count))];
}
