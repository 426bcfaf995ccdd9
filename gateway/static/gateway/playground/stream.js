// Server-sent events of a chat answer, put together as they come.

export async function* events(response) {
  const reader = response.body.pipeThrough(new TextDecoderStream()).getReader();
  let rest = "";
  for (;;) {
    const { value, done } = await reader.read();
    if (done) return;
    const lines = (rest + value).split("\n");
    rest = lines.pop();
    for (const line of lines) if (line.startsWith("data:")) yield line.slice(5).trim();
  }
}

// What a model said so far. `isOver`: the end came, as the API marks it.
export class Said {
  text = "";
  thoughts = "";
  refusal = "";
  images = [];
  finish = null;
  usage = null;
  isOver = false;
  #calls = [];
  #details = [];

  take(data) {
    if (data === "[DONE]") {
      this.isOver = true;
      return;
    }
    const event = JSON.parse(data);
    if (event.error) throw Object.assign(new Error(event.error.message), { error: event.error });
    if (event.usage) this.usage = event.usage;
    for (const choice of event.choices ?? []) {
      this.#takeDelta(choice.delta ?? {});
      this.finish = choice.finish_reason ?? this.finish;
    }
  }

  #takeDelta(delta) {
    this.text += delta.content ?? "";
    this.refusal += delta.refusal ?? "";
    const thought = delta.reasoning_content ?? delta.reasoning;
    if (typeof thought === "string") this.thoughts += thought;
    this.#details.push(...(delta.reasoning_details ?? []));
    for (const image of delta.images ?? []) if (image.image_url?.url) this.images.push(image.image_url.url);
    for (const call of delta.tool_calls ?? []) this.#takeCall(call);
  }

  // Members that we do not know, such as what a provider signs a call with, go back to it as they came.
  #takeCall({ index = 0, function: piece = {}, ...others }) {
    const known = (this.#calls[index] ??= { id: "", type: "function", function: { name: "", arguments: "" } });
    for (const [name, value] of Object.entries(others)) if (value) known[name] = value;
    known.function.name += piece.name ?? "";
    known.function.arguments += piece.arguments ?? "";
  }

  get calls() {
    return this.#calls.filter(Boolean);
  }

  get hasBegun() {
    return Boolean(this.text || this.thoughts || this.refusal || this.#calls.length || this.images.length);
  }

  get length() {
    const called = this.calls.reduce((sum, call) => sum + call.function.name.length + call.function.arguments.length, 0);
    return this.text.length + this.thoughts.length + this.refusal.length + called;
  }

  // As it goes back with the next turn.
  message() {
    const message = { role: "assistant", content: this.text || this.refusal || null };
    if (this.calls.length) message.tool_calls = this.calls;
    if (this.#details.length) message.reasoning_details = this.#details;
    return message;
  }
}
