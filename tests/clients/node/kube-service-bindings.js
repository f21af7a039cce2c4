// A Node application: kube-service-bindings finds the binding, and pg connects by what it returns.
import bindings from "kube-service-bindings";
import pg from "pg";

const client = new pg.Client(bindings.getBinding("POSTGRESQL", "pg"));
await client.connect();
await client.query("INSERT INTO written VALUES ('kube-service-bindings')");
const { rows } = await client.query("SELECT DISTINCT client FROM written WHERE client = 'kube-service-bindings'");
console.log(`read: ${rows[0].client}`);
await client.end();
