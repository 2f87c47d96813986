// On every page but the review screen: what its person decided in this browser and the server has not confirmed.

import { figure } from "./review/dom.js";
import { CHANNEL, openStore } from "./review/store.js";

const pill = document.getElementById("unsent");
const store = await openStore(() => []).catch(() => null); // a browser that stores nothing has nothing unsent

async function draw() {
  const mine = (await store.entries()).filter(({ user }) => String(user) === pill.dataset.user);
  const slug = mine.find(({ body }) => body.campaign)?.body.campaign;
  pill.hidden = !mine.length;
  pill.textContent = `${figure(mine.length)} not yet saved`;
  pill.href = slug ? `${pill.dataset.campaigns}${slug}/` : pill.dataset.campaigns;
}

if (store) {
  draw();
  if ("BroadcastChannel" in globalThis) new BroadcastChannel(CHANNEL).addEventListener("message", draw);
}
