// The network with ONNX Runtime: node ort.mjs FILE.onnx SIZE THREADS [COLOURS.raw]
// prints its time, and writes its colours where a file is named.
import fs from 'node:fs';
import ort from 'onnxruntime-node';

const [, , file, sizeText, threads, colours] = process.argv;
const size = Number(sizeText), batch = 4096;
const session = await ort.InferenceSession.create(file, {
  intraOpNumThreads: Number(threads), interOpNumThreads: 1, executionMode: 'sequential', graphOptimizationLevel: 'all',
});
const places = new Float32Array(2 * batch);
const [name] = session.outputNames;
const run = async (at) => {
  for (let i = 0; i < batch; i++) {
    places[2 * i] = ((at + i) % size + 0.5) * 2 / size - 1;
    places[2 * i + 1] = (Math.floor((at + i) / size) + 0.5) * 2 / size - 1;
  }
  return (await session.run({ places: new ort.Tensor('float32', places, [batch, 2]) }, [name]))[name].data;
};
await run(0);
const out = colours ? new Float32Array(3 * size * size) : null;
const cpu = process.cpuUsage(), wall = process.hrtime.bigint();
for (let at = 0; at < size * size; at += batch) {
  const got = await run(at);
  if (out) out.set(got.subarray(0, 3 * Math.min(batch, size * size - at)), 3 * at);
}
const used = process.cpuUsage(cpu);
const took = { cpu: (used.user + used.system) / 1e6, wall: Number(process.hrtime.bigint() - wall) / 1e9 };
if (out) fs.writeFileSync(colours, Buffer.from(out.buffer));
console.log(JSON.stringify(took));
