// Pages of the original web client, as far as the event bus is concerned. Each line of the input
// is a command in JSON; each is answered with a line.
const readline = require("readline");

class Page {
  constructor({ library, url, id, transports, reconnects, ping }) {
    this.id = id;
    this.waiting = new Map(); // by identifier: only an answer of the query's own type settles it
    this.toasts = [];
    this.events = [];
    this.errors = [];
    this.count = 0;
    this.sessions = 0;
    const EventBus = require(library || "vertx3-eventbus-client");
    this.bus = new EventBus(url, {
      ...(transports && { transports }),
      vertxbus_ping_interval: ping || 5000,
      vertxbus_reconnect_delay_min: 50,
      vertxbus_reconnect_delay_max: 200,
    });
    this.bus.enableReconnect(Boolean(reconnects));
    this.bus.onerror = (error) => this.errors.push(error);
    this.bus.onopen = () => this.open();
    this.bus.onclose = (event) => (this.closed = [event.code, event.reason]);
  }

  open() {
    this.transport = this.bus.sockJSConn.transport;
    this.closed = null;
    this.bus.registerHandler(`events.to.martians.${this.id}`, (_, message) => this.receive(message.body));
    this.send("events.from.martians", "session", { id: this.id }).then(() => this.sessions++);
  }

  receive({ type, data, ...rest }) {
    if (type === "error") {
      this.toasts.push(data.message);
    } else if (type.startsWith("events.")) {
      this.events.push({ type, data, ...rest });
    } else if (this.waiting.has(data.requestIdentifier)) {
      this.waiting.get(data.requestIdentifier)({ type, data });
      this.waiting.delete(data.requestIdentifier);
    }
  }

  send(address, type, data) {
    const requestIdentifier = `${this.id}-${++this.count}`;
    this.bus.send(address, JSON.stringify({ type, data: { ...data, requestIdentifier } }));
    return new Promise((settle) => this.waiting.set(requestIdentifier, settle));
  }

  subscribe(name) {
    const message = { type: "subscribe", data: { clientId: this.id, id: `events.${name}` } };
    this.bus.send(`events.from.martians.${this.id}`, JSON.stringify(message));
  }

  async ask(type, data) {
    const toasts = this.toasts.length;
    const answer = this.send(`events.from.martians.${this.id}`, `queries.${type}`, data);
    const hangs = new Promise((settle) => setTimeout(settle, 5000, { type: "hangs" }));
    return { ...(await Promise.race([answer, hangs])), toasts: this.toasts.slice(toasts) };
  }
}

async function until(condition, seconds = 20) {
  for (const end = Date.now() + seconds * 1000; !condition(); ) {
    if (Date.now() > end) return false;
    await new Promise((next) => setTimeout(next, 5));
  }
  return true;
}

const pages = new Map();

const commands = {
  async connect(page, options) {
    pages.set(options.page, (page = new Page(options)));
    await until(() => page.sessions || page.closed);
    return page.closed || page.transport;
  },
  async ask(page, { queries }) {
    const answers = [];
    for (const [type, data] of queries) answers.push(await page.ask(type, data));
    return answers;
  },
  async askAtOnce(page, { queries }) {
    return Promise.all(queries.map(([type, data]) => page.ask(type, data)));
  },
  async subscribe(page, { names }) {
    names.forEach((name) => page.subscribe(name));
    await page.ask("get-tiers"); // what has no identifier is carried out before what follows
    return names.length;
  },
  async events(page, { count, kinds }) {
    const seen = () => new Set(page.events.map(({ type }) => type)).size;
    await until(() => (kinds ? seen() >= kinds : page.events.length >= count));
    return page.events.splice(0);
  },
  async sessions(page, { count }) {
    await until(() => page.sessions >= count);
    return page.sessions;
  },
  async rest(page, { seconds }) {
    await until(() => page.closed, seconds);
    return { closed: page.closed, errors: page.errors, transport: page.bus.sockJSConn.transport };
  },
  async close(page) {
    page.bus.close();
    await until(() => page.closed);
    return page.closed;
  },
};

readline.createInterface({ input: process.stdin }).on("line", async (line) => {
  const { command, ...rest } = JSON.parse(line);
  const answer = await commands[command](pages.get(rest.page), rest);
  process.stdout.write(`${JSON.stringify(answer)}\n`);
});
