"use strict";
// One question at a time. Whatever a model wrote enters the page as text, never as markup.

const byId = (id) => document.getElementById(id);
let running = null; // AbortController of the request in progress

const say = (text, problem = false) => {
  byId("status").textContent = text;
  byId("status").classList.toggle("problem", problem);
};

const headers = () => {
  const key = byId("key").value.trim();
  return key ? { Authorization: `Bearer ${key}` } : {};
};

async function refusal(response) {
  const body = await response.json().catch(() => null);
  return `${response.status}: ${body?.error?.message ?? response.statusText}`;
}

async function loadModels() {
  try {
    const response = await fetch("v1/models", { headers: headers() });
    if (!response.ok) {
      const hint = response.status === 401 ? " Enter a key, then leave its field." : "";
      say((await refusal(response)) + hint, true);
      return;
    }
    const names = (await response.json()).data.map((model) => model.id);
    byId("model").replaceChildren(...names.map((name) => new Option(name, name)));
    say("Ready.");
  } catch (error) {
    say(`The gateway does not answer: ${error.message}`, true);
  }
}

// --- what is shown of a request

const cards = new Map();
let answer = "";
let report = {};
let usage = {};

function clear() {
  cards.clear();
  answer = "";
  report = {};
  usage = {};
  byId("candidates").replaceChildren();
  byId("plan-text").textContent = "";
  byId("answer").textContent = "";
  byId("cost").textContent = "";
  for (const id of ["answer-section", "plan-section", "candidates-section"]) byId(id).hidden = true;
}

function element(name, properties = {}, ...children) {
  const made = Object.assign(document.createElement(name), properties);
  made.append(...children);
  return made;
}

function card(index) {
  if (cards.has(index)) return cards.get(index);
  const parts = {
    badge: element("span", { className: "badge", hidden: true, textContent: "chosen" }),
    text: element("pre", { tabIndex: 0 }),
    state: element("dd", { textContent: "writing" }),
    answer: element("dd", { textContent: "–" }),
    tokens: element("dd", { textContent: "–" }),
    score: element("dd", { textContent: "–" }),
  };
  parts.text.setAttribute("aria-label", `Text of candidate ${index + 1}`);
  parts.box = element("article", { className: "candidate" },
    element("h3", {}, `Candidate ${index + 1}`, parts.badge),
    element("dl", {},
      element("dt", { textContent: "Answer" }), parts.answer,
      element("dt", { textContent: "Score" }), parts.score,
      element("dt", { textContent: "Tokens" }), parts.tokens,
      element("dt", { textContent: "State" }), parts.state),
    parts.text);
  cards.set(index, parts);
  byId("candidates-section").hidden = false;
  const later = [...cards.keys()].filter((other) => other > index).sort((a, b) => a - b)[0];
  byId("candidates").insertBefore(parts.box, later === undefined ? null : cards.get(later).box);
  return parts;
}

function onProgress(event) {
  if (event.type === "plan") {
    const mark = event.candidate === null ? "" : `Candidate ${event.candidate + 1}: `;
    byId("plan-section").hidden = false;
    byId("plan-text").textContent += `${mark}${event.text ?? event.note}\n`;
    say("Writing candidates…");
  } else if (event.type === "delta") {
    const { text } = card(event.candidate);
    text.textContent += event.text;
    text.scrollTop = text.scrollHeight;
  } else if (event.type === "candidate") {
    const parts = card(event.index);
    parts.answer.textContent = event.answer ?? "none";
    parts.tokens.textContent = event.tokens;
    parts.state.textContent = event.finish_reason ?? "cancelled";
  } else if (event.type === "scores") {
    event.scores.forEach((score, index) => {
      if (score !== null) showScore(card(index), score);
    });
  } else if (event.type === "selected") {
    const parts = card(event.index);
    parts.box.classList.add("chosen");
    parts.badge.hidden = false;
  }
}

function showScore(parts, score) {
  const bar = element("meter", { min: 0, max: 1, value: score });
  bar.setAttribute("aria-hidden", "true");
  parts.score.replaceChildren(`${score.toFixed(3)} `, bar);
}

function onChunk(chunk) {
  report = chunk.scaffold ?? report;
  usage = chunk.usage ?? usage;
  for (const choice of chunk.choices) answer += choice.delta.content ?? "";
  if (answer) {
    byId("answer-section").hidden = false;
    byId("answer").textContent = answer;
  }
}

function close() {
  (report.candidates ?? []).forEach((candidate, index) => {
    const parts = card(index);
    parts.state.textContent = candidate.error ?? candidate.finish_reason;
    if (!parts.text.textContent) parts.text.textContent = [candidate.reasoning, candidate.content].join("\n").trim();
  });
  const notes = [report.plan_note, report.selector_note].filter(Boolean);
  const facts = [
    report.reason,
    report.candidates && `${report.n_completed} of ${report.n_launched} candidates to their end (${report.stop})`,
    usage.completion_tokens !== undefined && `${usage.completion_tokens} tokens written`,
    report.tokens_saved ? `about ${report.tokens_saved} saved by stopping early` : "",
    report.seconds !== undefined && `${report.seconds.toFixed(1)} s`,
    ...notes,
  ];
  byId("cost").textContent = facts.filter(Boolean).join(" · ");
}

// --- asking

async function* events(response) {
  // Server-sent events as [name, data]; data is null for [DONE].
  const reader = response.body.pipeThrough(new TextDecoderStream()).getReader();
  let buffer = "";
  for (;;) {
    const { value, done } = await reader.read();
    if (done) return;
    buffer += value;
    const blocks = buffer.split("\n\n");
    buffer = blocks.pop();
    for (const block of blocks) {
      const lines = block.split("\n");
      const name = lines.find((line) => line.startsWith("event:"))?.slice(6).trim() ?? "";
      const data = lines.filter((line) => line.startsWith("data:")).map((line) => line.slice(5).trim()).join("\n");
      if (data) yield [name, data === "[DONE]" ? null : JSON.parse(data)];
    }
  }
}

function request() {
  const scaffold = { events: true };
  if (byId("n").value) scaffold.n = Number(byId("n").value);
  if (byId("plan").value) scaffold.plan = byId("plan").value;
  return {
    model: byId("model").value,
    messages: [{ role: "user", content: byId("question").value }],
    stream: true,
    stream_options: { include_usage: true },
    scaffold,
  };
}

async function ask() {
  running = new AbortController();
  byId("ask").disabled = true;
  byId("stop").disabled = false;
  clear();
  say("Asking…");
  try {
    const response = await fetch("v1/chat/completions", {
      method: "POST",
      headers: { "Content-Type": "application/json", ...headers() },
      body: JSON.stringify(request()),
      signal: running.signal,
    });
    if (!response.ok) throw new Error(await refusal(response));
    for await (const [name, data] of events(response)) {
      if (data === null) continue;
      if (data.error) throw new Error(data.error.message);
      if (name === "scaffold") onProgress(data);
      else onChunk(data);
    }
    close();
    say("Answered.");
  } catch (error) {
    if (error.name === "AbortError") say("Stopped. The engine writes no further.");
    else say(error.message, true);
  } finally {
    running = null;
    byId("ask").disabled = false;
    byId("stop").disabled = true;
  }
}

const stop = () => running?.abort();

byId("form").addEventListener("submit", (event) => {
  event.preventDefault();
  if (!running) ask();
});
byId("stop").addEventListener("click", stop);
byId("key").addEventListener("change", loadModels);
document.addEventListener("keydown", (event) => {
  if (event.key === "Enter" && (event.ctrlKey || event.metaKey)) byId("form").requestSubmit();
  if (event.key === "Escape") stop();
});
loadModels();
