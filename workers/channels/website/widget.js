/* Tổng đài: the chat window of a website. One script tag, nothing else:
 *   <script async src="https://chat.example/widget/v1/tongdai.js" data-site="shop"></script>
 * data-language: vi or en; else the page's. data-token: a JWT that proves who the visitor is; or data-user-id
 * with data-user-hash; they may change, for somebody signs in or out. It lives in a shadow root of its own and
 * changes nothing of the page.
 */
(() => {
  "use strict";

  const tag = document.currentScript;
  const site = tag.dataset.site;
  const channel = new URL(`../../v1/website/${encodeURIComponent(site)}/`, tag.src);
  const address = new URL("socket", channel), filesAddress = new URL("files", channel);
  address.protocol = address.protocol === "https:" ? "wss:" : "ws:";

  const UPLOADS_MAX = 5, TEXT_MAX = 4000, SEEN_MAX = 100;
  const PING_MS = 25_000, PONG_MS = 10_000, TYPING_MS = 3_000, TYPES_MS = 6_000, LOOK_MS = 1_000;
  const FILES_KEPT_MS = 7 * 86_400_000;
  const RETRY_FIRST_MS = 500, RETRY_LAST_MS = 30_000;
  const MALFORMED = 4400, NOT_VERIFIED = 4401, BLOCKED = 4403, UNKNOWN_PAGE = 4404;
  // Behind a 0 or 84, without what people write between digits: as numbers are found in messages (schemas/phones.py).
  const PHONE = /^(?:0|(?:\+|00)?840?)(3[2-9]\d{7}|5[25689]\d{7}|7[06-9]\d{7}|8[1-9]\d{7}|9\d{8}|2\d{9})$/;
  const RANK = { sent: 1, delivered: 2, read: 3 };

  const WORDS = {
    vi: {
      open: "Mở cửa sổ chat", close: "Đóng cửa sổ chat", chat: "Chat", log: "Tin nhắn", write: "Nhập tin nhắn…",
      send: "Gửi", older: "Xem tin cũ hơn", typing: "Đang soạn tin…", offline: "Mất kết nối. Tin của bạn sẽ được gửi khi có mạng.",
      sending: "Đang gửi…", sent: "Đã gửi", seen: "Đã xem", you: "Bạn", shop: "Nhân viên", unread: "tin chưa đọc",
      sound: "Âm báo tin mới", file: "Tệp đính kèm", attach: "Gửi tệp", again: "Gửi lại tệp", drop: "Bỏ tệp",
      large: "Tệp quá lớn", kind: "Không nhận loại tệp này", failed: "Chưa gửi được",
      details: "Thông tin của bạn", name: "Họ tên", phone: "Số điện thoại", email: "E-mail", share: "Gửi thông tin",
      decline: "Không chia sẻ", declined: "Mình không muốn chia sẻ thông tin.", missing: "Hãy điền mục này.",
      badPhone: "Số chưa đúng. Ví dụ: 0912 345 678", badEmail: "Địa chỉ chưa đúng. Ví dụ: lan@example.com",
    },
    en: {
      open: "Open chat", close: "Close chat", chat: "Chat", log: "Messages", write: "Write a message…",
      send: "Send", older: "Show older messages", typing: "Typing…", offline: "No connection. What you write is sent when there is one.",
      sending: "Sending…", sent: "Sent", seen: "Seen", you: "You", shop: "Agent", unread: "unread messages",
      sound: "Sound for new messages", file: "Attachment", attach: "Send a file", again: "Send the file again", drop: "Discard the file",
      large: "The file is too large", kind: "Files of this kind are not taken", failed: "Not sent yet",
      details: "Your details", name: "Name", phone: "Phone number", email: "E-mail", share: "Send my details",
      decline: "I'd rather not", declined: "I'd rather not share that.", missing: "Please fill this in.",
      badPhone: "This is no phone number here. Example: 0912 345 678", badEmail: "This is no e-mail address. Example: lan@example.com",
    },
  };
  const asked = tag.dataset.language || document.documentElement.lang || navigator.language || "vi";
  const language = asked.toLowerCase().startsWith("vi") ? "vi" : "en";
  const t = WORDS[language];
  const FIELDS = { // what agents ask for, and what counts of what is written there; nothing: it is wrong
    name: { input: { autocomplete: "name" }, read: (text) => text.replace(/[\s\x00-\x1f\x7f]+/g, " ") },
    phone: { input: { type: "tel", autocomplete: "tel" }, wrong: t.badPhone, read: (text) => { const found = PHONE.exec(text.replace(/[ .\-()\u00a0]/g, "")); return found && `0${found[1]}`; } },
    email: { input: { type: "email", autocomplete: "email" }, wrong: t.badEmail, read: (text, input) => input.validity.valid && /\.[^.@]+$/.test(text) && text },
  };

  // What the browser keeps ------------------------------------------------------------------------------------

  const memory = new Map(); // what storage does not take, forbidden or full, for as long as the page lives
  const kept = {
    get(key) { try { return memory.get(key) ?? localStorage.getItem(key); } catch { return null; } },
    set(key, value) { try { localStorage.setItem(key, value); memory.delete(key); } catch { memory.set(key, value); } },
    remove(key) { memory.delete(key); try { localStorage.removeItem(key); } catch { /* there is nothing in it */ } },
    keys() { try { return [...memory.keys(), ...Object.keys(localStorage)]; } catch { return [...memory.keys()]; } },
  };
  const PREFIX = `tongdai.${site}.`, TOKEN = `${PREFIX}token`, SOUND = `${PREFIX}sound`, CLOSED = `${PREFIX}closed`;
  let proof = null, who = "", out = ""; // of the visitor, as the tag says now; `out`: how the keys of what he could not send begin

  // What somebody could not send must never be sent in the name of the next one at this browser.
  function identify() {
    const { token: jwt, userId, userHash } = tag.dataset;
    proof = jwt ? { token: jwt } : userId ? { id: userId, hash: userHash || "" } : null;
    who = jwt ? `v.${subject(jwt)}` : userId ? `v.${userId}` : "a";
    out = `${PREFIX}out.${who}.`;
  }
  // By when it was written, and by the id of its message: sent again under the same one, from whatever tab, it counts once.
  function keyOf(id, at) { return `${out}${String(at).padStart(15, "0")}.${id}`; }
  function idOf(key) { return key.slice(key.lastIndexOf(".") + 1); }
  function isHis(key) { return key.startsWith(out) && /^\d{15}\.[^.]+$/.test(key.slice(out.length)); }
  function draw() { return [...crypto.getRandomValues(new Uint8Array(16))].map((byte) => byte.toString(16).padStart(2, "0")).join(""); }
  function subject(token) {
    try { return JSON.parse(atob(token.split(".")[1].replace(/-/g, "+").replace(/_/g, "/"))).sub; } catch { return token; }
  }

  // Files are kept apart, for a while; without a place for them they wait for as long as the page lives.
  function inShelf(mode, work) {
    return new Promise((resolve, reject) => {
      const opening = indexedDB.open("tongdai.files", 1);
      opening.onupgradeneeded = () => opening.result.createObjectStore("files");
      opening.onerror = () => reject(opening.error);
      opening.onsuccess = () => {
        const shelf = opening.result, deed = shelf.transaction("files", mode), asked = work(deed.objectStore("files"));
        deed.oncomplete = () => { shelf.close(); resolve(asked.result); };
        deed.onabort = () => { shelf.close(); reject(deed.error); };
      };
    });
  }
  async function layDown(key, file) {
    try {
      const keys = await inShelf("readonly", (files) => files.getAllKeys());
      if (keys.filter(isHis).length < UPLOADS_MAX) await inShelf("readwrite", (files) => files.put(file, key));
    } catch { /* it lives as long as the page */ }
  }
  function takeUp(key) { return inShelf("readwrite", (files) => files.delete(key)).catch(() => { /* it was never laid there */ }); }
  async function recoverFiles() {
    const whose = out, oldest = Date.now() - FILES_KEPT_MS;
    try {
      for (const key of await inShelf("readonly", (files) => files.getAllKeys())) {
        if (Number(key.split(".").at(-2)) < oldest) { await takeUp(key); continue; } // whosever it is
        const file = isHis(key) && !sending.has(idOf(key)) && await inShelf("readonly", (files) => files.get(key));
        if (out !== whose) return;
        if (!file) continue;
        if ([...messages.values(), ...outbox].some((one) => one.id === idOf(key))) await takeUp(key); else upload(file, key);
      }
    } catch { /* none is kept */ }
  }

  // What is known of the conversation -------------------------------------------------------------------------

  const messages = new Map(); // by position
  const outbox = []; // what is not in the transcript yet, in its order
  let conversation = null, last = 0, first = Infinity, more = false, agentRead = 0;
  const sending = new Map(); // files that are no messages yet, by the ids that these will have
  let ours = null; // of a visitor with a proof: kept nowhere, for the proof itself soon is too old
  let filesMax = 0; // bytes of a file; 0: none are taken
  let isOpen = false, isClosed = false, socket = null, isStarted = false, failures = 0, retry = 0, inFlight = null;
  let heardAt = 0, pingedAt = 0, typedAt = 0, typesUntil = 0, shownUrl = "", resendAt = 0;

  // Elements --------------------------------------------------------------------------------------------------

  function h(name, attributes = {}, ...children) {
    const element = document.createElement(name);
    for (const [key, value] of Object.entries(attributes)) {
      if (typeof value === "function") element.addEventListener(key, value);
      else if (value !== false && value != null) element.setAttribute(key, value === true ? "" : value);
    }
    element.append(...children);
    return element;
  }
  function icon(path) {
    const svg = document.createElementNS("http://www.w3.org/2000/svg", "svg");
    svg.setAttribute("viewBox", "0 0 24 24");
    svg.setAttribute("aria-hidden", "true");
    const shape = document.createElementNS(svg.namespaceURI, "path");
    shape.setAttribute("d", path);
    svg.append(shape);
    return svg;
  }

  const title = h("h2", { id: "title" }, t.chat);
  const sound = h("button", { type: "button", class: "plain", "aria-label": t.sound, "aria-pressed": "true", click: toggleSound },
    icon("M12 22a2 2 0 0 0 2-2h-4a2 2 0 0 0 2 2Zm6-6v-5c0-3-1.6-5.6-4.5-6.3V4a1.5 1.5 0 0 0-3 0v.7C7.6 5.4 6 7.9 6 11v5l-2 2v1h16v-1l-2-2Z"));
  const close = h("button", { type: "button", class: "plain", "aria-label": t.close, click: () => setOpen(false) },
    icon("M18.3 5.7 12 12l6.3 6.3-1.4 1.4-6.3-6.3-6.3 6.3-1.4-1.4L9.2 12 2.9 5.7l1.4-1.4 6.3 6.3 6.3-6.3Z"));
  const older = h("button", { type: "button", class: "older", hidden: true, click: () => say({ do: "older", before: first }) }, t.older);
  const greeting = h("p", { class: "greeting", hidden: true });
  const list = h("ol");
  const replies = h("div", { class: "replies", hidden: true });
  const log = h("div", { class: "log", role: "log", "aria-label": t.log, tabindex: "0" }, older, greeting, list);
  const status = h("p", { class: "status", role: "status" });
  const field = h("textarea", { id: "field", rows: "1", maxlength: String(TEXT_MAX), placeholder: t.write, "aria-label": t.write, enterkeyhint: "send", input: onInput, keydown: onKey });
  const send = h("button", { type: "submit", class: "send", "aria-label": t.send }, icon("M3 20.5v-6.6l8.5-1.9L3 10.100V3.500L21.500 12 3 20.500Z"));
  const picker = h("input", { type: "file", multiple: true, hidden: true, change: () => { for (const file of picker.files) upload(file); picker.value = ""; } });
  const attach = h("button", { type: "button", class: "attach", "aria-label": t.attach, hidden: true, click: () => picker.click() },
    icon("M16.500 6v11.500a4 4 0 0 1-8 0V5a2.500 2.500 0 0 1 5 0v10.500a1 1 0 0 1-2 0V6H10v9.500a2.500 2.500 0 0 0 5 0V5a4 4 0 0 0-8 0v12.500a5.500 5.500 0 0 0 11 0V6Z"));
  const uploads = h("ul", { class: "uploads", "aria-live": "polite" });
  const form = h("form", { class: "write", submit: (event) => { event.preventDefault(); write(); } }, picker, attach, field, send);
  const panel = h("div", { class: "panel", id: "panel", role: "dialog", "aria-labelledby": "title", hidden: true, keydown: (event) => { if (event.key === "Escape") setOpen(false); } },
    h("header", {}, title, sound, close), log, replies, status, uploads, form);
  const badge = h("span", { class: "badge", "aria-hidden": "true", hidden: true });
  const launcher = h("button", { type: "button", class: "launcher", "aria-label": t.open, "aria-expanded": "false", "aria-controls": "panel", click: () => setOpen(!isOpen) },
    icon("M12 3C6.500 3 2 6.700 2 11.300c0 2.600 1.500 5 3.800 6.500-.1 1-.6 2.400-1.800 3.700 2-.2 3.900-1 5.200-2.100.9.2 1.800.3 2.800.3 5.500 0 10-3.700 10-8.400S17.500 3 12 3Z"), badge);
  const host = h("div");
  host.hidden = true; // until the ingress has taken the visitor: who is refused sees nothing
  const root = host.attachShadow({ mode: "open" });
  root.append(h("section", { "aria-label": t.chat, lang: language }, panel, launcher));
  const sheet = new CSSStyleSheet(); // needs no 'unsafe-inline' of the page
  sheet.replaceSync(`
    :host { all: initial !important; position: fixed !important; z-index: 2147483000 !important; inset: auto 0 0 auto !important; }
    :host([hidden]) { display: none !important; }
    * { box-sizing: border-box; margin: 0; font: 15px/1.45 system-ui, -apple-system, "Segoe UI", Roboto, "Noto Sans", sans-serif; }
    [hidden] { display: none !important; }
    button { cursor: pointer; border: 0; }
    svg { width: 22px; height: 22px; fill: currentColor; display: block; }
    :focus-visible { outline: 3px solid #f59e0b; outline-offset: 2px; }
    .launcher { position: fixed; right: 20px; bottom: 20px; width: 58px; height: 58px; border-radius: 50%; background: #0f766e; color: #fff;
      display: grid; place-items: center; box-shadow: 0 4px 14px #0005; }
    .launcher svg { width: 30px; height: 30px; }
    .badge { position: absolute; top: -4px; right: -4px; min-width: 22px; padding: 0 6px; border-radius: 11px; background: #b91c1c; color: #fff;
      font-size: 13px; line-height: 22px; font-weight: 600; text-align: center; }
    .panel { position: fixed; right: 20px; bottom: 90px; width: 370px; height: min(600px, calc(100dvh - 110px)); display: flex; flex-direction: column;
      background: #fff; color: #0f172a; border-radius: 14px; overflow: hidden; box-shadow: 0 8px 30px #0004; }
    header { display: flex; align-items: center; gap: 4px; padding: 10px 10px 10px 16px; background: #0f766e; color: #fff; }
    h2 { flex: 1; font-size: 16px; font-weight: 600; overflow: hidden; text-overflow: ellipsis; white-space: nowrap; }
    .plain { width: 40px; height: 40px; display: grid; place-items: center; background: none; color: #fff; border-radius: 8px; }
    .plain:hover { background: #fff3; }
    .plain[aria-pressed="false"] { opacity: .55; }
    .log { flex: 1; overflow-y: auto; padding: 14px; overscroll-behavior: contain; }
    ol { list-style: none; padding: 0; display: flex; flex-direction: column; gap: 8px; }
    li { max-width: 82%; align-self: flex-start; overflow-wrap: anywhere; }
    li.own { align-self: flex-end; text-align: right; }
    .bubble { display: inline-block; padding: 8px 12px; border-radius: 14px; background: #f1f5f9; text-align: left; white-space: pre-wrap; }
    .own .bubble { background: #0f766e; color: #fff; }
    .bubble a { color: inherit; }
    .bubble img { display: block; max-width: 100%; max-height: 220px; border-radius: 8px; }
    .mark { display: block; color: #475569; font-size: 12px; }
    .name { position: absolute; width: 1px; height: 1px; overflow: hidden; clip-path: inset(50%); }
    .greeting { padding: 8px 12px; border-radius: 14px; background: #f1f5f9; width: fit-content; max-width: 82%; white-space: pre-wrap; }
    .older { display: block; margin: 0 auto 12px; padding: 6px 14px; border-radius: 16px; background: #e2e8f0; color: #0f172a; }
    .replies { display: flex; flex-wrap: wrap; gap: 8px; padding: 0 14px 10px; }
    .replies button { padding: 8px 14px; border: 1px solid #0f766e; border-radius: 18px; background: #fff; color: #0f766e; }
    .ask { margin-top: 6px; padding: 10px 12px 12px; border: 1px solid #cbd5e1; border-radius: 14px; background: #fff; display: grid; gap: 8px; text-align: left; }
    .ask label { display: block; font-size: 13px; color: #334155; }
    .ask input { width: 100%; padding: 8px 10px; border: 1px solid #64748b; border-radius: 10px; background: #fff; color: #0f172a; font-size: 16px; }
    .ask input[aria-invalid="true"] { border-color: #b91c1c; }
    .ask p { color: #b91c1c; font-size: 13px; }
    .ask div { display: flex; flex-wrap: wrap; gap: 8px; }
    .ask button { padding: 8px 11px; border-radius: 18px; font-size: 14px; background: #e2e8f0; color: #0f172a; }
    .ask .share { background: #0f766e; color: #fff; }
    .status { padding: 0 14px; min-height: 22px; color: #475569; font-size: 13px; }
    .write { display: flex; gap: 8px; padding: 8px 10px 12px; border-top: 1px solid #e2e8f0; }
    textarea { flex: 1; resize: none; max-height: 120px; padding: 9px 12px; border: 1px solid #64748b; border-radius: 12px; background: #fff; color: #0f172a; font-size: 16px; }
    textarea::placeholder { color: #64748b; opacity: 1; }
    .attach { width: 40px; height: 44px; display: grid; place-items: center; border-radius: 12px; background: none; color: #475569; align-self: flex-end; }
    .uploads { list-style: none; padding: 0 14px; }
    .uploads li { display: flex; align-items: center; gap: 8px; max-width: none; padding-bottom: 6px; font-size: 13px; color: #334155; }
    .uploads span { flex: 1; overflow: hidden; text-overflow: ellipsis; white-space: nowrap; font-size: 13px; }
    .uploads progress { width: 80px; height: 8px; accent-color: #0f766e; }
    .uploads button { padding: 4px 10px; border-radius: 8px; background: #e2e8f0; color: #0f172a; font-size: 13px; }
    .send { width: 44px; height: 44px; display: grid; place-items: center; border-radius: 50%; background: #0f766e; color: #fff; align-self: flex-end; }
    @media (max-width: 480px) {
      .panel { inset: 0; width: auto; height: auto; border-radius: 0; }
      .panel:not([hidden]) + .launcher { display: none; }
    }
    @media (prefers-reduced-motion: no-preference) { .panel { animation: rise .16s ease-out; } @keyframes rise { from { transform: translateY(12px); opacity: 0; } } }
  `);
  root.adoptedStyleSheets = [sheet];

  // Showing ---------------------------------------------------------------------------------------------------

  function textNodes(text) {
    // Split by a captured pattern: every second part is an address.
    return text.split(/(https?:\/\/[^\s<>"]+[^\s<>".,;:!?)])/).map((part, number) =>
      number % 2 ? h("a", { href: part, target: "_blank", rel: "noopener noreferrer nofollow" }, part) : part);
  }
  function attachmentNode({ type, url, thumbnail, name }) {
    const label = name || t.file;
    const whole = url && new URL(url, tag.src).href; // our own are as the ingress sees them
    if (!/^https?:\/\//.test(whole || "")) return label;
    const inside = type === "image" ? h("img", { src: thumbnail ? new URL(thumbnail, tag.src).href : whole, alt: label, loading: "lazy", referrerpolicy: "no-referrer" }) : label;
    return h("a", { href: whole, target: "_blank", rel: "noopener noreferrer nofollow" }, inside);
  }
  function item(message) {
    const own = message.from === "customer";
    const bubble = h("span", { class: "bubble" }, ...textNodes(message.text), ...message.attachments.map(attachmentNode));
    message.mark = h("span", { class: "mark" });
    message.node = h("li", { class: own ? "own" : "other" }, h("span", { class: "name" }, `${own ? t.you : t.shop}: `), bubble, message.mark);
    if (!own && message.asks?.length) message.node.append(message.form = question(message));
    return message.node;
  }
  // An agent asks who he is: a form below his words, answered once, in whichever tab.
  const answerTo = (message) => `answer-${message.position}`;
  function question(message) {
    const rows = Object.keys(FIELDS).filter((name) => message.asks.includes(name)).map((name) => {
      const id = `${name}-${message.position}`, error = h("p", { id: `${id}-error`, hidden: true });
      const input = h("input", { id, maxlength: "80", "aria-describedby": error.id, ...FIELDS[name].input });
      return { name, input, error, node: h("div", {}, h("label", { for: id }, t[name]), input, error) };
    });
    function answer(shares) {
      const words = rows.map(({ name }) => `${t[name]}: ${shares[name]}`).join("\n");
      utter({ id: answerTo(message), text: Object.keys(shares).length ? words : t.declined, shares: { of: message.position, ...shares } });
      field.focus();
    }
    function submit(event) {
      event.preventDefault();
      const found = {}, wrong = [];
      for (const { name, input, error } of rows) {
        const text = wellFormed(input.value).trim();
        found[name] = text && FIELDS[name].read(text, input);
        error.textContent = found[name] ? "" : text ? FIELDS[name].wrong : t.missing;
        error.hidden = Boolean(found[name]);
        input.setAttribute("aria-invalid", String(!found[name]));
        if (!found[name]) wrong.push(input);
      }
      if (wrong.length) wrong[0].focus(); else answer(found);
    }
    return h("form", { class: "ask", "aria-label": t.details, novalidate: true, submit }, ...rows.map((row) => row.node),
      h("div", {}, h("button", { type: "submit", class: "share" }, t.share), h("button", { type: "button", click: () => answer({}) }, t.decline)));
  }
  function showQuestions() {
    const asking = [...messages.values()].filter((one) => one.form), said = new Set([...messages.values(), ...outbox].map((one) => one.id));
    const newest = Math.max(...asking.map((one) => one.position));
    for (const one of asking) one.form.hidden = one.position !== newest || said.has(answerTo(one));
  }
  function markOf(message) {
    const time = new Date(message.at).toLocaleTimeString(language, { hour: "2-digit", minute: "2-digit" });
    if (message.from !== "customer") return time;
    if (!message.position) return message.taken ? t.sent : t.sending;
    return `${time} · ${message.position <= agentRead ? t.seen : t.sent}`;
  }
  function show() {
    for (const message of [...messages.values(), ...outbox]) {
      const mark = markOf(message);
      if (message.mark.textContent !== mark) message.mark.textContent = mark;
    }
    showQuestions();
    const empty = !messages.size && !outbox.length;
    greeting.hidden = !empty || !greeting.textContent;
    replies.hidden = !empty || !replies.childElementCount;
    older.hidden = !more;
    const unread = [...messages.values()].filter((one) => one.from !== "customer" && !one.isRead).length;
    badge.hidden = !unread;
    badge.textContent = unread > 99 ? "99+" : String(unread);
    launcher.setAttribute("aria-label", (isOpen ? t.close : t.open) + (unread ? `, ${unread} ${t.unread}` : ""));
    const line = !isStarted ? t.offline : Date.now() < typesUntil ? t.typing : "";
    if (status.textContent !== line) status.textContent = line;
  }
  function setOpen(open, byItself) {
    isOpen = open;
    panel.hidden = !open;
    launcher.setAttribute("aria-expanded", String(open));
    if (!byItself) (open ? field : launcher).focus();
    if (open) toEnd(); else keepClosed();
    look();
    show();
  }
  // A chat that an agent begins opens the window, once, and never over a small screen or who has closed it here.
  function isClosedByHand() { try { return sessionStorage.getItem(CLOSED) !== null; } catch { return isClosed; } }
  function keepClosed() { isClosed = true; try { sessionStorage.setItem(CLOSED, "1"); } catch { /* for as long as the page lives */ } }
  function isInvited(shown) {
    const own = new Set([...messages.values()].filter((one) => one.from === "customer").map((one) => one.session));
    const begins = shown.some((one) => one.from !== "customer" && !own.has(one.session));
    return begins && !isOpen && !outbox.length && !isClosedByHand() && !matchMedia("(max-width: 480px)").matches;
  }
  function toEnd() { log.scrollTop = log.scrollHeight; }
  function beep() {
    if (sound.getAttribute("aria-pressed") !== "true" || !navigator.userActivation?.hasBeenActive) return;
    try {
      const audio = new AudioContext(), tone = audio.createOscillator(), volume = audio.createGain();
      tone.frequency.value = 880;
      volume.gain.setValueAtTime(0.08, audio.currentTime);
      volume.gain.exponentialRampToValueAtTime(0.0001, audio.currentTime + 0.25);
      tone.connect(volume).connect(audio.destination);
      tone.start();
      tone.stop(audio.currentTime + 0.25);
      tone.onended = () => audio.close();
    } catch { /* a page without sound */ }
  }
  function toggleSound() {
    const on = sound.getAttribute("aria-pressed") !== "true";
    sound.setAttribute("aria-pressed", String(on));
    kept.set(SOUND, on ? "on" : "off");
  }

  // What comes from the transcript ----------------------------------------------------------------------------

  function take(shown, isNews) {
    const wasAtEnd = log.scrollHeight - log.scrollTop - log.clientHeight < 60;
    let heard = false;
    for (const message of shown) {
      if (messages.has(message.position)) continue;
      message.isRead = message.state === "read";
      message.told = RANK[message.state] || 0;
      settle(message.id);
      sending.get(message.id)?.stop();
      place(message);
      messages.set(message.position, message);
      last = Math.max(last, message.position);
      first = Math.min(first, message.position);
      heard ||= message.from !== "customer";
    }
    if (heard) typesUntil = 0;
    const wasLooking = isLooking();
    if (isNews && heard && isInvited(shown)) setOpen(true, true);
    look();
    if (isNews && heard && !wasLooking) beep();
    show();
    if (wasAtEnd) toEnd();
  }
  function place(message) {
    // Nearly always at the end; older ones are asked for by hand.
    const later = [...messages.values()].filter((one) => one.position > message.position);
    const next = later.reduce((found, one) => (!found || one.position < found.position ? one : found), null) || outbox[0];
    list.insertBefore(item(message), next ? next.node : null);
  }
  function settle(id) {
    const number = id ? outbox.findIndex((one) => one.id === id) : -1;
    if (number < 0) return;
    const [done] = outbox.splice(number, 1);
    done.node.remove();
    kept.remove(done.key);
    if (inFlight === id) inFlight = null;
  }
  // Of what he saw only that counts which came back as the state of a message: the rest is told again.
  function forgetTold() { for (const one of messages.values()) one.told = RANK[one.state] || 0; }
  function isLooking() { return isOpen && document.visibilityState === "visible"; }
  function look() {
    // The transcript says `sent` before anybody may say more: until then it is not known there.
    const want = isLooking() ? "read" : "delivered";
    if (want === "read") for (const one of messages.values()) one.isRead = true;
    if (!isStarted) return;
    const due = [...messages.values()].filter((one) => one.from !== "customer" && one.state && one.told < RANK[want]);
    for (let start = 0; start < due.length; start += SEEN_MAX) {
      const some = due.slice(start, start + SEEN_MAX);
      say({ do: "seen", state: want, messages: some.map((one) => one.message) });
      for (const one of some) one.told = RANK[want];
    }
  }

  // Another conversation begins, a new visitor's or that of who signs in: nothing of the one before may stay.
  function forget() {
    for (const one of messages.values()) one.node.remove();
    messages.clear();
    last = agentRead = typesUntil = 0;
    first = Infinity;
    more = false;
  }

  // What the visitor writes -----------------------------------------------------------------------------------

  function write(press) {
    const text = wellFormed(press || field.value).trim();
    if (!text) return;
    if (!press) { field.value = ""; grow(); }
    utter({ text, press: Boolean(press) });
    field.focus();
  }
  function utter(said) {
    const message = { id: draw(), ...said, at: Date.now() };
    message.key = keyOf(message.id, message.at);
    kept.set(message.key, JSON.stringify(message));
    queue(message);
    toEnd();
    flush();
  }
  function upload(file, found) { // `found`: the key of one that could not be sent before this page was loaded
    if (uploads.childElementCount >= UPLOADS_MAX) return;
    const key = found || keyOf(draw(), Date.now()), id = idOf(key), laid = found || isLarge() ? Promise.resolve() : layDown(key, file);
    const name = wellFormed(file.name), bar = h("progress", { max: "1", value: "0", "aria-label": name });
    const again = h("button", { type: "button", hidden: true, "aria-label": `${t.again}: ${name}`, click: send }, "↻");
    const [line, label] = fileLine(name, stop, bar, again);
    let request = null;
    function isLarge() { return filesMax && file.size > filesMax; }
    function halt() { request?.abort(); sending.delete(id); line.remove(); }
    function stop() { halt(); laid.then(() => takeUp(key)); }
    function fail(why, mayMend) {
      label.textContent = `${why}: ${name}`;
      bar.hidden = true;
      again.hidden = !mayMend;
      if (!mayMend) laid.then(() => takeUp(key));
    }
    function send() {
      if (isLarge()) { fail(t.large, false); return; }
      label.textContent = name;
      bar.hidden = false;
      again.hidden = true;
      request = new XMLHttpRequest();
      request.open("POST", `${filesAddress}?name=${encodeURIComponent(name.slice(-200))}`);
      request.setRequestHeader("authorization", `Bearer ${proof ? ours : kept.get(TOKEN)}`);
      request.setRequestHeader("content-type", "application/octet-stream");
      request.upload.onprogress = (event) => { if (event.lengthComputable) bar.value = event.loaded / event.total; };
      request.onerror = () => fail(t.failed, true);
      request.onload = () => {
        if (request.status !== 201) { fail({ 413: t.large, 415: t.kind }[request.status] || t.failed, ![400, 413, 415].includes(request.status)); return; }
        utter({ id, text: "", files: [JSON.parse(request.responseText)] });
        stop();
      };
      request.send(file);
    }
    sending.set(id, { halt, stop });
    uploads.append(line);
    if (found) fail(t.failed, true); else send();
  }
  function fileLine(name, drop, ...more) {
    const label = h("span", {}, name);
    const button = h("button", { type: "button", "aria-label": `${t.drop}: ${name}`, click: () => { drop(); field.focus(); } }, "×");
    return [h("li", {}, label, ...more, button), label];
  }
  // A file that waited for so long that it was forgotten.
  function tellNotSent(message) {
    for (const { name } of message?.files || []) {
      const [line, label] = fileLine(name || t.file, () => line.remove());
      label.textContent = `${t.failed}: ${label.textContent}`;
      uploads.append(line);
    }
  }
  // Half a sign, as a limit may leave it, is no text that anybody could read.
  function wellFormed(text) { return text.replace(/\p{Surrogate}/gu, "\ufffd"); }
  function queue(message) {
    Object.assign(message, { from: "customer", attachments: message.files || [], taken: false });
    outbox.push(message);
    list.append(item(message));
    show();
  }
  function flush() {
    // One at a time: the next must not overtake one that has to be sent again.
    const next = outbox.find((one) => !one.taken);
    if (!isStarted || inFlight || !next || Date.now() < resendAt) return;
    inFlight = next.id;
    const rest = { id: next.id, at_ms: next.at };
    say(next.press ? { do: "press", title: next.text, ...rest } : { do: "say", text: next.text, files: next.files?.map((one) => one.file), shares: next.shares, ...rest });
  }
  function onInput() {
    grow();
    if (isStarted && Date.now() - typedAt > TYPING_MS && field.value) {
      typedAt = Date.now();
      say({ do: "typing" });
    }
  }
  function onKey(event) {
    if (event.key === "Enter" && !event.shiftKey && !event.isComposing) {
      event.preventDefault();
      write();
    }
  }
  function grow() {
    field.style.height = "auto";
    field.style.height = `${Math.min(field.scrollHeight + 2, 120)}px`;
  }

  // The connection --------------------------------------------------------------------------------------------

  function say(words) { if (socket?.readyState === WebSocket.OPEN) socket.send(JSON.stringify(words)); }
  function where() {
    // Without what stands behind the path: it may hold secrets.
    return { url: (location.origin + location.pathname).slice(0, 1000), title: wellFormed(document.title.replace(/[\x00-\x1f\x7f]/g, " ").slice(0, 200)) };
  }
  function connect() {
    if (socket) return;
    clearTimeout(retry);
    const token = proof ? ours : kept.get(TOKEN), opened = new WebSocket(address);
    socket = opened;
    heardAt = Date.now();
    pingedAt = 0;
    opened.onopen = () => {
      shownUrl = location.href;
      say({ do: "start", token, proof, conversation, after: last, language, where: /^https?:/.test(location.origin) ? where() : null });
    };
    opened.onmessage = (event) => { if (socket === opened) hear(JSON.parse(event.data), token); };
    opened.onclose = (event) => { if (socket === opened) lost(event.code, event.reason); };
  }
  function hangUp() {
    const gone = socket;
    socket = inFlight = null;
    isStarted = false;
    if (!gone) return;
    gone.onclose = null;
    gone.close();
  }
  function lost(code, reason) {
    const waited = inFlight;
    hangUp();
    if (code === MALFORMED && waited) { // it never will be taken: the visitor has it back
      field.value ||= outbox.find((one) => one.id === waited)?.text ?? "";
      settle(waited);
    }
    for (const one of outbox) one.taken = false;
    forgetTold();
    if (code === NOT_VERIFIED || code === BLOCKED) {
      console.warn(`Tổng đài: ${reason}`);
      host.hidden = true;
      return;
    }
    if (code === UNKNOWN_PAGE) host.hidden = true; // until a workspace has it
    const wait = Math.min(RETRY_FIRST_MS * 2 ** failures++, RETRY_LAST_MS) * (0.5 + Math.random() / 2);
    retry = setTimeout(connect, wait);
    show();
  }
  function started(said, sentToken) {
    if (proof) ours = said.token;
    else {
      const other = kept.get(TOKEN);
      if (!sentToken && other && other !== said.token) { lost(0, ""); failures = 0; connect(); return; } // another tab was first
      kept.set(TOKEN, said.token);
    }
    if (conversation && conversation !== said.conversation) forget();
    conversation = said.conversation;
    failures = 0;
    isStarted = true;
    host.hidden = false;
    title.textContent = said.title;
    greeting.textContent = said.greeting;
    filesMax = said.file_bytes_max || 0;
    attach.hidden = !filesMax;
    if (!replies.childElementCount) replies.append(...said.quick_replies.map((text) => h("button", { type: "button", click: () => write(text) }, text)));
    agentRead = Math.max(agentRead, said.read);
    if (!last) more = said.more;
    take(said.messages, false);
    flush();
  }
  function hear(said, sentToken) {
    heardAt = Date.now();
    pingedAt = 0;
    switch (said.event) {
      case "started": started(said, sentToken); break;
      case "messages": take(said.messages, true); flush(); break;
      case "older": more = said.more; take(said.messages, false); break;
      case "taken": {
        const message = outbox.find((one) => one.id === said.id);
        if (message) { message.taken = true; kept.remove(message.key); }
        if (inFlight === said.id) inFlight = null;
        show();
        flush();
        break;
      }
      case "refused":
        if (said.id && inFlight === said.id) inFlight = null;
        if (said.code === "unknown_file") tellNotSent(outbox.find((one) => one.id === said.id));
        // What another tab has answered already.
        if (["unknown_file", "unknown_question", "answered"].includes(said.code)) { settle(said.id); show(); flush(); }
        if (said.do === "seen") forgetTold();
        if (said.retry_after_s) {
          resendAt = Date.now() + said.retry_after_s * 1000;
          setTimeout(() => { flush(); look(); }, said.retry_after_s * 1000 + 50);
        }
        break;
      case "state": {
        for (const one of messages.values()) {
          if (one.message === said.message && (RANK[said.state] || 0) >= (RANK[one.state] || 0)) one.state = said.state;
        }
        look();
        break;
      }
      case "unseen": forgetTold(); look(); break;
      case "read": agentRead = Math.max(agentRead, said.position); show(); break;
      case "typing": typesUntil = Date.now() + TYPES_MS; show(); break;
    }
  }
  function tick() {
    const now = Date.now();
    if (socket && (isStarted ? pingedAt && now - pingedAt > PONG_MS : now - heardAt > PONG_MS)) lost(0, "");
    else if (isStarted && !pingedAt && now - heardAt > PING_MS) { pingedAt = now; say({ do: "ping" }); }
    if (isStarted && location.href !== shownUrl) { shownUrl = location.href; say({ do: "move", where: where() }); }
    show();
  }

  // Here we go ------------------------------------------------------------------------------------------------

  function recover() {
    for (const key of kept.keys().filter(isHis).sort()) {
      try { queue({ ...JSON.parse(kept.get(key)), key }); } catch { kept.remove(key); }
    }
    recoverFiles();
  }
  // The page says who the visitor is from now on: he has signed in or out, or his proof is a newer one.
  function change() {
    const before = who;
    identify();
    if (who !== before || !isStarted) hangUp();
    if (who !== before) {
      ours = conversation = null;
      resendAt = 0;
      forget();
      for (const one of outbox.splice(0)) one.node.remove();
      for (const file of [...sending.values()]) file.halt();
      uploads.replaceChildren();
      if (before !== "a") { field.value = ""; grow(); }
      recover();
    }
    failures = 0;
    connect();
    show();
  }
  function begin() {
    document.body.append(host);
    if (kept.get(SOUND) === "off") toggleSound();
    identify();
    recover();
    new MutationObserver(change).observe(tag, { attributeFilter: ["data-token", "data-user-id", "data-user-hash"] });
    addEventListener("online", () => { failures = 0; connect(); });
    addEventListener("offline", () => { if (socket) lost(0, ""); });
    document.addEventListener("visibilitychange", () => { if (!document.hidden) { failures = 0; connect(); } look(); show(); });
    setInterval(tick, LOOK_MS);
    connect();
  }
  if (document.body) begin();
  else addEventListener("DOMContentLoaded", begin);
})();
