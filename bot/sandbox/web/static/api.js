// What a person does, told to the server. Slack's client or Slack itself may refuse; then a notice says so.

import { get } from "./store.js";
import { toast } from "./toasts.js";

async function send(address, options) {
  try {
    const response = await fetch(address, { method: "POST", ...options });
    const answer = await response.json();
    if (answer.refused) toast(answer.refused);
    if (answer.error) toast(`The sandbox did not understand this: ${answer.error}`);
    return answer;
  } catch {
    toast("The sandbox does not answer. Is it still running?");
    return { error: "gone" };
  }
}

export const act = (what, given = {}) =>
  send("/sandbox/act", { body: JSON.stringify({ do: what, as: get("me").id, ...given }) });

export function upload(files, given) {
  const form = new FormData();
  for (const [name, value] of Object.entries({ as: get("me").id, ...given })) form.set(name, value);
  for (const file of files) form.append("file", file, file.name);
  return send("/sandbox/upload", { body: form });
}
