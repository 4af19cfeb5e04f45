"""What a browser is given: a page that talks to a WebSocket of its own server and writes down what it hears."""

PAGE = """<!doctype html><meta charset="utf-8"><title>WebSocket</title><link rel="icon" href="data:,"><ol></ol><script>
const ws = new WebSocket(`ws://${location.host}/ws`, ["superchat", "chat"]);
const say = (text) => {
  document.querySelector("ol").append(Object.assign(document.createElement("li"), {textContent: text}));
};
const big = new Uint8Array(1 << 20).fill(7);
ws.binaryType = "arraybuffer";
ws.onopen = () => { say(`open ${ws.protocol}`); ws.send("grüß dich"); };
ws.onmessage = ({data}) => {
  if (typeof data === "string") { say(`text ${data}`); ws.send(big); return; }
  say(`binary ${data.byteLength} ${new Uint8Array(data).every((byte) => byte === 7)}`);
  ws.send("close");
};
ws.onerror = () => say("error");
ws.onclose = ({code, reason, wasClean}) => { say(`closed ${code} ${reason} ${wasClean}`); document.title = "done"; };
</script>"""
