// What the server says this person sees: named pieces of JSON over a WebSocket, of which only the changed ones arrive.

const pieces = new Map();
const raw = new Map();
const listeners = [];
let socket = null;
let pause = 250;
export let online = true;

export const get = (name) => pieces.get(name);
export const signature = (name) => raw.get(name);
export const onChange = (listener) => listeners.push(listener);

export function* all(prefix) {
  for (const [name, value] of pieces) if (name.startsWith(prefix)) yield value;
}

export function connect(user) {
  if (socket) {
    socket.onclose = socket.onmessage = null;
    socket.close();
  }
  const opened = new WebSocket(`ws://${location.host}/sandbox/live?as=${encodeURIComponent(user)}`);
  socket = opened;
  let first = true;
  opened.onmessage = (event) => {
    const { new: changed, gone } = JSON.parse(event.data);
    if (first) {
      pieces.clear();
      raw.clear();
    }
    first = false;
    pause = 250;
    online = true;
    for (const name of gone) {
      pieces.delete(name);
      raw.delete(name);
    }
    for (const [name, value] of Object.entries(changed)) {
      pieces.set(name, value);
      raw.set(name, JSON.stringify(value));
    }
    tell();
  };
  opened.onclose = () => {
    online = false;
    tell();
    setTimeout(() => socket === opened && connect(get("me")?.id ?? user), pause);
    pause = Math.min(pause * 2, 5000);
  };
}

function tell() {
  for (const listener of listeners) listener();
}

// In seconds, as the sandbox's Slack and PBXs see it.
export const now = () => Date.now() / 1000 + (get("clock")?.skipped ?? 0);
