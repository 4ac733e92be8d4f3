// Times the bench's guest in V8, in what its optimising compiler makes (Envoy's V8 gets
// there after some calls): node --no-liftoff decision_v8.mjs ROUNDS ROWS STARTS MODULE...
// Prints JSON: for each module, for each start of a ring, nanoseconds of CPU time per
// decision, one number per round. Modules take turns; one round goes before.
import { readFileSync } from "node:fs";

const [rounds, rows, starts, ...files] = process.argv.slice(2);
const firsts = starts.split(",").map(Number);
const count = Number(rows);

function load(file) {
  const module = new WebAssembly.Module(readFileSync(file));
  const imports = {};
  for (const { module: from, name } of WebAssembly.Module.imports(module)) {
    (imports[from] ??= {})[name] = () => {
      throw new Error(`the guest called ${name}`);
    };
  }
  const guest = new WebAssembly.Instance(module, imports).exports;
  if (!guest.is_ready()) throw new Error("the filter does not admit the table");
  return guest;
}

function nanoseconds() {
  const { user, system } = process.cpuUsage();
  return (user + system) * 1000;
}

function timed(guest, first) {
  const start = nanoseconds();
  guest.judge_ring(first, count, count);
  const judged = nanoseconds();
  guest.look_on(first, count, count);
  return (judged - start - (nanoseconds() - judged)) / count;
}

const guests = files.map(load);
const found = guests.map(() => firsts.map(() => []));
for (let round = -1; round < Number(rounds); round++) {
  for (const [at, first] of firsts.entries()) {
    for (const [number, guest] of guests.entries()) {
      const value = timed(guest, first);
      if (round >= 0) found[number][at].push(value);
    }
  }
}
console.log(JSON.stringify(found));
