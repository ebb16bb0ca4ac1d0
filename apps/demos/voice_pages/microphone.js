// Press, speak; blocks of sound go to the server, words come back while they are spoken.
// The parts of the page that are rewritten keep working: clicks are caught on the element itself.
const WORKLET = `registerProcessor("casekit-blocks", class extends AudioWorkletProcessor {
  process([channels]) { if (channels[0]) this.port.postMessage(channels[0].slice()); return true; }
});`;
const BLOCK_S = 0.3;
let now = null;  // the recording that is being made
let asked = false, spoken = false;  // whether this request, and the one answered last, was spoken

const part = (name) => element.querySelector(`[data-part="${name}"]`);
const write = (name, text) => { const place = part(name); if (place) place.textContent = text; };
const phrase = (name) => part("root")?.dataset[name] ?? "";
const answers = () => document.querySelectorAll("#answer audio");

// Words that will stay are written firmly, those that may still change faintly.
function show(text, settled) {
  write("partial", settled);
  const rest = document.createElement("span");
  rest.textContent = text.startsWith(settled) ? text.slice(settled.length) : text;
  if (rest.textContent === text) write("partial", "");
  part("partial")?.append(rest);
}

function look(state) {
  const root = part("root");
  if (!root) return;
  root.dataset.state = state;
  write("title", phrase(state + "Title") || phrase("idleTitle"));
  write("status", phrase(state));
  part("button")?.setAttribute("aria-pressed", String(state === "listening"));
}

function base64(bytes) {
  let text = "";
  for (let at = 0; at < bytes.length; at += 8192)
    text += String.fromCharCode(...bytes.subarray(at, at + 8192));
  return btoa(text);
}

function taken(recording) {
  const samples = new Int16Array(recording.length);
  let at = 0;
  for (const block of recording.blocks)
    for (const value of block) samples[at++] = Math.max(-1, Math.min(1, value)) * 32767;
  recording.blocks = []; recording.length = 0;
  return base64(new Uint8Array(samples.buffer));
}

// One request at a time, in order; what comes meanwhile waits and goes with the next.
async function send(recording) {
  if (recording.sending || !recording.length) return recording.sending;
  const message = { recording: recording.name, rate: recording.rate, pcm: taken(recording) };
  recording.sending = (async () => {
    try {
      const answer = await server.push(message);
      if (recording === now) heard(recording, answer);
    } catch (problem) { console.warn("a block was lost", problem); }
    recording.sending = null;
  })();
  return recording.sending;
}

function heard(recording, answer) {
  if (answer.spoke && recording.waiting) interrupt(recording);
  if (answer.text && !recording.waiting) show(answer.text, answer.settled);
  if (answer.full) write("status", phrase("long"));
  if (!answer.ended) return;
  if (recording.waiting) drop(); else finish();
}

function level(block) {
  let sum = 0;
  for (const value of block) sum += value * value;
  const loud = Math.min(1, Math.sqrt(sum / block.length) * 8);
  part("root")?.style.setProperty("--level", loud.toFixed(2));
}

// `waiting`: while an answer is played the microphone is open, and whoever speaks interrupts it.
async function begin(waiting) {
  const recording = { name: crypto.randomUUID(), blocks: [], length: 0, sending: null, waiting };
  now = recording;
  write("partial", "");
  if (waiting) look("open"); else { silence(); look("listening"); }
  try {
    // A recogniser hears better what no noise suppressor has been at.
    const audio = { channelCount: 1, noiseSuppression: false, autoGainControl: false,
      echoCancellation: waiting };
    recording.stream = await navigator.mediaDevices.getUserMedia({ audio });
    try {
      recording.context = new AudioContext({ sampleRate: 16000 });
      recording.source = recording.context.createMediaStreamSource(recording.stream);
    } catch (_) {  // browsers that do not convert for us
      recording.context = new AudioContext();
      recording.source = recording.context.createMediaStreamSource(recording.stream);
    }
    recording.rate = recording.context.sampleRate;
    const address = URL.createObjectURL(new Blob([WORKLET], { type: "text/javascript" }));
    await recording.context.audioWorklet.addModule(address);
    URL.revokeObjectURL(address);
    const node = new AudioWorkletNode(recording.context, "casekit-blocks");
    node.port.onmessage = ({ data }) => {
      if (recording !== now) return;
      recording.blocks.push(data); recording.length += data.length;
      if (!recording.waiting) level(data);
      if (recording.length >= BLOCK_S * recording.rate) send(recording);
    };
    recording.source.connect(node).connect(recording.context.destination);
    if (recording !== now) release(recording);  // it was over before it began
  } catch (_) {
    release(recording);
    if (recording !== now) return;
    now = null; look("idle");
    if (!waiting) write("status", phrase("denied"));
  }
}

function silence() { for (const playing of answers()) playing.pause(); }

function interrupt(recording) { recording.waiting = false; silence(); look("listening"); }

function release(recording) {
  for (const track of recording.stream?.getTracks() ?? []) track.stop();
  if (recording.context?.state !== "closed") recording.context?.close();
}

function drop() {
  const recording = now;
  if (!recording) return;
  now = null; look("idle"); write("partial", ""); release(recording);
  server.drop(recording.name);
}

async function finish() {
  const recording = now;
  if (!recording) return;
  now = null; asked = true;
  look("thinking");
  release(recording);
  while (recording.sending) await recording.sending;
  await send(recording);
  trigger("heard", { recording: recording.name });
}

element.addEventListener("click", (event) => {
  if (!event.target.closest('[data-part="button"]')) return;
  if (part("root")?.dataset.state === "thinking") return;
  if (!now) begin(false); else if (now.waiting) interrupt(now); else finish();
});
element.addEventListener("keydown", (event) => { if (event.key === "Escape") drop(); });
watch("done", () => { spoken = asked; asked = false; write("partial", ""); look("idle"); });

const answer = (event) => event.target.closest?.("#answer") !== null;
if (phrase("open")) {
  document.addEventListener("play", (event) => {
    if (answer(event) && spoken && !now) begin(true);
  }, true);
  for (const over of ["pause", "ended"])
    document.addEventListener(over, (event) => { if (answer(event) && now?.waiting) drop(); }, true);
}
