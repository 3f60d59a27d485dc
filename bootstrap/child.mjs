/** Child processes of the bootstrap: captured ones for installing, and the one that the bootstrap stands for. */
import { spawn } from "node:child_process";
import { constants } from "node:os";

const STOP_SIGNALS = ["SIGINT", "SIGTERM", "SIGHUP"];
/** Ctrl-C reaches npm, its shell, us and the child at once, and npm sends it on again: one wish, not three. */
const SAME_WISH_MS = 1_000;
const KEPT_CHARS = 64 * 1024;

/**
 * Runs a command to its end and keeps its last output.
 *
 * @param {string[]} argv
 * @param {{ cwd: string, env?: NodeJS.ProcessEnv, deadlineMs: number }} options
 * @returns {Promise<{ code: number, output: string, stdout: string }>} `output` is both streams together; code 127
 * when it could not be started, 124 when it was killed at its deadline
 */
export function capture([program, ...args], { cwd, env = process.env, deadlineMs }) {
  return new Promise((resolve) => {
    const child = spawn(program, args, { cwd, env, stdio: ["ignore", "pipe", "pipe"] });
    let output = "";
    let stdout = "";
    const keep = (chunk) => {
      output = (output + chunk).slice(-KEPT_CHARS);
    };
    child.stdout.on("data", (chunk) => {
      stdout = (stdout + chunk).slice(-KEPT_CHARS);
      keep(chunk);
    });
    child.stderr.on("data", keep);
    let late = false;
    const timer = setTimeout(() => {
      late = true;
      child.kill("SIGKILL");
    }, deadlineMs);
    child.on("error", (error) => {
      clearTimeout(timer);
      resolve({ code: 127, output: error.message, stdout });
    });
    child.on("close", (code) => {
      clearTimeout(timer);
      resolve({ code: late ? 124 : (code ?? 1), output, stdout });
    });
  });
}

/**
 * Runs the program in our place: same terminal, signals passed on, and we end after it with its exit code.
 * A stop signal is passed on once per second at most.
 *
 * @param {string[]} argv
 * @param {{ cwd: string, env: NodeJS.ProcessEnv }} options
 * @returns {Promise<number>} exit code; 128 + number for a child that a signal ended
 */
export function standIn([program, ...args], { cwd, env }) {
  return new Promise((resolve, reject) => {
    const child = spawn(program, args, { cwd, env, stdio: "inherit" });
    let lastPassedOn = Number.NEGATIVE_INFINITY;
    const passOn = (signal) => {
      if (performance.now() - lastPassedOn < SAME_WISH_MS) return;
      lastPassedOn = performance.now();
      child.kill(signal);
    };
    for (const signal of STOP_SIGNALS) process.on(signal, passOn);
    const end = () => {
      for (const signal of STOP_SIGNALS) process.off(signal, passOn);
    };
    child.on("error", (error) => {
      end();
      reject(error);
    });
    child.on("exit", (code, signal) => {
      end();
      resolve(code ?? 128 + constants.signals[signal]);
    });
  });
}
