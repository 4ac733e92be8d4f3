"use strict";
// The data of the page, and questions to it. Names are shown by textContent only.

const DATA = JSON.parse(document.getElementById("data").textContent);
const NAMES = DATA.names;
const OUTSIDE = -1;  // the index of all addresses outside, beside those of names
const OUTSIDE_NAME = "addresses outside";

function expand(runs) {
  const row = [];
  for (let i = 0; i < runs.length; i += 2) {
    for (let n = runs[i + 1]; n > 0; n--) row.push(runs[i]);
  }
  return row;
}

const CELLS = DATA.matrix.cells.map(expand);
const EGRESS = DATA.matrix.egress.map(expand);
const INGRESS = DATA.matrix.ingress.map(expand);

function nameOf(index) {
  return index === OUTSIDE ? OUTSIDE_NAME : NAMES[index];
}

// What may be sent between two names: a cell, and the sides that say so.
function flowOf(source, destination) {
  const from = DATA.groups[source];
  const to = DATA.groups[destination];
  return {
    cell: DATA.cells[CELLS[from][to]],
    egress: DATA.sides[EGRESS[from][to]],
    ingress: DATA.sides[INGRESS[to][from]],
  };
}

// The ranges outside that a name sends to ("egress") or hears from ("ingress").
function outsideOf(index, direction) {
  return DATA.outside[DATA.groups[index]][direction].map(([range, cell, egress, ingress]) => ({
    range,
    cell: DATA.cells[cell],
    egress: DATA.sides[egress],
    ingress: DATA.sides[ingress],
  }));
}

function isAllowed(cell, port) {
  if (!port) return cell.keys.length > 0;
  return cell.keys.some(([protocol, first, last]) =>
    (!port.protocol || protocol === port.protocol) &&
    (!port.number || (first <= port.number && port.number <= last)));
}

// The cells between two ends, of which one may be OUTSIDE.
function cellsOf(source, destination) {
  if (source === destination) return [];
  if (source === OUTSIDE) return outsideOf(destination, "ingress").map((row) => row.cell);
  if (destination === OUTSIDE) return outsideOf(source, "egress").map((row) => row.cell);
  return [flowOf(source, destination).cell];
}

function reaches(source, destination, port) {
  return cellsOf(source, destination).some((cell) => isAllowed(cell, port));
}

function kindOf(cell) {
  if (cell.keys.length === 0) return "none";
  if (cell.ports === "all ports") return "all";
  return cell.ports ? "ports" : "some";
}

function cellText(cell) {
  const parts = cell.ports ? [cell.ports] : [];
  for (const each of cell.byRequest) parts.push(`some requests on ${each.ports}`);
  return parts.join("; ") || "nothing";
}

// "8080", "udp 53", "udp"; null: any port; undefined: not understood.
function readPort(text) {
  const words = text.trim().toUpperCase().split(/[\s\/]+/).filter(Boolean);
  if (words.length === 0) return null;
  const port = {protocol: "", number: 0};
  for (const word of words) {
    const number = Number(word);
    if (["TCP", "UDP", "SCTP"].includes(word)) port.protocol = word;
    else if (Number.isInteger(number) && number > 0 && number < 65536) port.number = number;
    else return undefined;
  }
  return port;
}

// Every word must be in the name.
function matches(index, text) {
  const name = nameOf(index).toLowerCase();
  return text.toLowerCase().split(/\s+/).every((word) => name.includes(word));
}

function make(tag, attributes, ...children) {
  const element = document.createElement(tag);
  for (const [name, value] of Object.entries(attributes || {})) {
    element.setAttribute(name, value);
  }
  element.append(...children);
  return element;
}
