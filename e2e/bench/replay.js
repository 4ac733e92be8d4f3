// Time modules in V8, in turns; the host's part is played from a recording.
//
// Standard input: {rounds, milliseconds, subjects: [{name, variants: [{name, module,
// driver?, setup: [step], turn: [step]}]}]}, modules in base64, steps as recording.py has
// them. A turn of one call without hostcalls is repeated by `driver`, a module that calls
// it in a loop. Standard output: {subject: {variant: [ns of a turn, by round]}}.
"use strict";

const plan = JSON.parse(require("fs").readFileSync(0, "utf8"));

function instance(variant) {
  const player = { hostcalls: [], next: 0 };
  const module = new WebAssembly.Module(Buffer.from(variant.module, "base64"));
  const imports = {};
  for (const { module: from, name } of WebAssembly.Module.imports(module)) {
    (imports[from] ??= {})[name] = () => {
      const { answer, actions } = player.hostcalls[player.next++];
      for (const [kind, number, bytes] of actions) {
        if (kind === "malloc") player.exports.malloc(number);
        else player.memory.set(bytes, number);
      }
      return answer;
    };
  }
  player.exports = new WebAssembly.Instance(module, imports).exports;
  player.memory = new Uint8Array(player.exports.memory.buffer);
  player.play = (steps) => {
    for (const step of steps) {
      player.hostcalls = step.hostcalls;
      player.next = 0;
      player.exports[step.export](...step.arguments);
    }
  };
  return player;
}

function prepared(variant) {
  const player = instance(variant);
  player.play(variant.setup);
  let run = (times) => {
    for (let i = 0; i < times; i++) player.play(variant.turn);
  };
  if (variant.driver) {
    const module = new WebAssembly.Module(Buffer.from(variant.driver, "base64"));
    const f = player.exports[variant.turn[0].export];
    run = new WebAssembly.Instance(module, { m: { f } }).exports.run;
  }
  return { name: variant.name, run };
}

function nanoseconds(run, times) {
  const start = process.hrtime.bigint();
  run(times);
  return Number(process.hrtime.bigint() - start) / times;
}

const found = {};
for (const subject of plan.subjects) {
  const runners = subject.variants.map(prepared);
  const times = (found[subject.name] = {});
  for (const { name, run } of runners) {
    run(200); // compiled, and every cache warm
    times[name] = [];
  }
  const once = nanoseconds(runners[0].run, 50);
  const turns = Math.max(1, Math.round((plan.milliseconds * 1e6) / once));
  for (let round = 0; round < plan.rounds; round++) {
    const first = round % runners.length;
    for (const { name, run } of [...runners.slice(first), ...runners.slice(0, first)]) {
      times[name].push(nanoseconds(run, turns));
    }
  }
}
process.stdout.write(JSON.stringify(found));
