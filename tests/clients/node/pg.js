// A Node application that reads the URI of the binding itself.
import { readFileSync } from "node:fs";
import pg from "pg";

const orders = `${process.env.SERVICE_BINDING_ROOT}/orders`;
const uri = readFileSync(`${orders}/uri`);
const client = new pg.Client(`${uri}&sslrootcert=${orders}/certificates`);
await client.connect();
await client.query("INSERT INTO written VALUES ('pg')");
const { rows } = await client.query("SELECT DISTINCT client FROM written WHERE client = 'pg'");
console.log(`read: ${rows[0].client}`);
await client.end();
