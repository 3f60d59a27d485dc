/** The files of deploy/ as data, for tests that hold them and the program together. */
import { Glob, YAML } from "bun";
import type { Purpose } from "../../src/config/checks.ts";

export const ROOT = new URL("../../", import.meta.url).pathname;

/** An object of YAML whose form is known to who asks. */
// biome-ignore lint/suspicious/noExplicitAny: foreign formats; a wrong guess makes the test fail
export type Yaml = any;

export const textOf = (path: string): Promise<string> => Bun.file(ROOT + path).text();

/** The documents of one file. */
export async function documentsOf(path: string): Promise<Yaml[]> {
  const parsed = YAML.parse(await textOf(path));
  return Array.isArray(parsed) ? parsed : [parsed];
}

/** Paths of every YAML file below deploy/. */
export async function yamlFiles(): Promise<string[]> {
  const paths = await Array.fromAsync(new Glob("deploy/**/*.{yaml,yml}").scan(ROOT));
  return paths.sort();
}

/** Every object of Kubernetes that the files below deploy/kubernetes hold, kustomizations left out. */
export async function kubernetesObjects(): Promise<Yaml[]> {
  const files = (await yamlFiles()).filter(
    (path) => path.startsWith("deploy/kubernetes/") && !path.endsWith("/kustomization.yaml"),
  );
  return (await Promise.all(files.map(documentsOf))).flat();
}

/** A Dockerfile's instructions, one text each: continuation lines joined, comments left out. */
export async function dockerfile(): Promise<string[]> {
  const text = await textOf("deploy/Dockerfile");
  const lines = text.split("\n").filter((line) => !line.startsWith("#"));
  return lines.join("\n").replaceAll("\\\n", " ").split("\n").filter(Boolean);
}

/** `ENV` of the image. */
export async function imageEnvironment(): Promise<Record<string, string>> {
  const line = (await dockerfile()).find((instruction) => instruction.startsWith("ENV ")) ?? "";
  return Object.fromEntries(
    [...line.matchAll(/([A-Z_]+)=(\S+)/g)].map(([, name = "", value]) => [name, value!]),
  );
}

/** What compose makes of `${NAME:-default}` and `${NAME:?message}` when each NAME without a default is `given`. */
export function interpolated(text: string, given: string): string {
  return text.replaceAll(/\$\{\w+(?::([-?])([^}]*))?\}/g, (_, kind, rest) => (kind === "-" ? rest : given));
}

/** What the role in these words of a command line reads its configuration for. */
export const purposeOf = (words: readonly string[]): Purpose =>
  words[0] === "start" && words[1] !== "worker" ? "serve" : "work";

/** The groups of alert rules, of all files. */
export async function alertGroups(): Promise<Yaml[]> {
  const files = (await yamlFiles()).filter((path) => path.startsWith("deploy/prometheus/alerts/"));
  return (await Promise.all(files.map(documentsOf))).flat().flatMap((file) => file.groups);
}

/** The program's metrics in PromQL, without what histograms append; labels and texts in quotes are none. */
export function metricsIn(expression: string): string[] {
  const bare = expression.replaceAll(/"(\\.|[^"\\])*"/g, '""').replaceAll(/\{[^}]*\}/g, "");
  const names = bare.matchAll(/\b(?:hydraulic|http|process|access|identity)_[a-z_]+\b/g);
  return [...names].map(([name]) => name.replace(/_(bucket|sum|count)$/, ""));
}
