// Starts the client.
import { Client } from "./client.js";

new Client().start();
