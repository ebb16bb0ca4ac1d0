// Press, speak; blocks of sound go to the server, words come back while they are spoken.
// The parts of the page that are rewritten keep working: clicks are caught on the element itself.
const WORKLET = `registerProcessor("casekit-blocks", class extends AudioWorkletProcessor {
  process([channels]) { if (channels[0]) this.port.postMessage(channels[0].slice()); return true; }
});`;
const BLOCK_S = 0.3;
let now = null;  // the recording that is being made

const part = (name) => element.querySelector(`[data-part="${name}"]`);
const tell = (text) => { const place = part("status"); if (place) place.textContent = text; };
const said = (text) => { const place = part("partial"); if (place) place.textContent = text; };
const look = (name) => { const root = part("root"); if (root) root.dataset.state = name; };
const phrase = (name) => part("root")?.dataset[name] ?? "";

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
      if (answer.text && recording === now) said(answer.text);
      if (answer.full) tell(phrase("long"));
      if (answer.ended && recording === now) finish();
    } catch (problem) { console.warn("a block was lost", problem); }
    recording.sending = null;
  })();
  return recording.sending;
}

function level(block) {
  let sum = 0;
  for (const value of block) sum += value * value;
  const loud = Math.min(1, Math.sqrt(sum / block.length) * 8);
  part("root")?.style.setProperty("--level", loud.toFixed(2));
}

async function begin() {
  for (const playing of document.querySelectorAll("audio")) playing.pause();
  said(""); look("listening"); tell(phrase("listening"));
  const recording = { name: crypto.randomUUID(), blocks: [], length: 0, sending: null };
  now = recording;
  try {
    // A recogniser hears better what no noise suppressor has been at.
    const audio = { channelCount: 1, noiseSuppression: false, autoGainControl: false };
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
      recording.blocks.push(data); recording.length += data.length; level(data);
      if (recording.length >= BLOCK_S * recording.rate) send(recording);
    };
    recording.source.connect(node).connect(recording.context.destination);
  } catch (_) { now = null; release(recording); look("idle"); tell(phrase("denied")); }
}

function release(recording) {
  for (const track of recording.stream?.getTracks() ?? []) track.stop();
  recording.context?.close();
}

async function finish() {
  const recording = now;
  if (!recording) return;
  now = null;
  look("thinking"); tell(phrase("thinking"));
  release(recording);
  while (recording.sending) await recording.sending;
  await send(recording);
  trigger("heard", { recording: recording.name });
}

element.addEventListener("click", (event) => {
  if (!event.target.closest('[data-part="button"]')) return;
  if (now) finish(); else begin();
});
watch("done", () => { look("idle"); tell(phrase("idle")); });
