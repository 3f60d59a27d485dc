/**
 * A process whose name server never answers: many addresses of webhooks are looked up at once, and meanwhile it does
 * other work that needs a thread. Prints whether the name server was asked, and how many look-ups were over by then.
 */
import { setServers } from "node:dns";
import { Networks } from "../../src/notify/networks.ts";
import { Targets } from "../../src/notify/target.ts";
import { until } from "./until.ts";

let asked = 0;
const server = await Bun.udpSocket({
  hostname: "127.0.0.1",
  socket: {
    data() {
      asked += 1;
    },
  },
});
setServers([`127.0.0.1:${server.port}`]);
const targets = new Targets(new Networks([]));
let over = 0;
for (let i = 0; i < 40; i += 1) {
  const found = targets.find(`https://nobody-answers-${i}.example/`);
  found
    .catch(() => undefined)
    .finally(() => {
      over += 1;
    });
}
await until("the name server is asked", () => asked > 0);
await Bun.password.hash("x", { algorithm: "argon2id", memoryCost: 8, timeCost: 1 });
await Bun.file(import.meta.path).text();
console.log(JSON.stringify({ asked: asked > 0, over }));
process.exit(0);
