/** Names of sensors as readings send them, people type them and tables hold them, in the console's client. */
import { describe, expect, test } from "bun:test";
import { keyText, sentKey, sentName, tagsOf, tagsText } from "../../src/console/client/lib/mapping-key.ts";
import { rowsOf } from "../../src/console/client/lib/table-text.ts";
import { planOf } from "../../src/console/client/pages/mappings/import-plan.ts";
import { UNITS } from "../support/console-answers.ts";
import { MAPPINGS, SENSORS } from "../support/console-fixtures.ts";

describe("tags", () => {
  test.each([
    ["line=1, host=hall 3", { line: "1", host: "hall 3" }],
    [" line = 1 ,, ", { line: "1" }],
    ["a\\=b=c\\,d, e=\\\\", { "a=b": "c,d", e: "\\" }],
    ["", {}],
  ])("%s is read, and written so that it is read alike", (text, tags) => {
    expect(tagsOf(text)).toEqual(tags as Record<string, string>);
    expect(tagsOf(tagsText(tags as Record<string, string>))).toEqual(tags as Record<string, string>);
  });

  test.each(["line", "=1", "line=", "a=b=c"])("%s is told to be no tag", (text) => {
    expect(() => tagsOf(text)).toThrow(`"${text}" is no tag`);
  });
});

describe("names in readings", () => {
  const line = {
    measurement: "pump",
    field: "pressure",
    tags: { line: "1", unit: "psi", quality: "90" },
    value: 3,
  };

  test("are those that a mapping must have to fit", () => {
    expect(sentKey({ sensor: "PT4", value: 1 })).toEqual({ name: "PT4" });
    expect(sentKey(line)).toEqual({ measurement: "pump", field: "pressure", tags: { line: "1" } });
    expect(sentName(line)).toBe("pump pressure (line=1)");
    const { tags: _, ...bare } = line;
    expect(sentKey(bare)).toEqual({ measurement: "pump", field: "pressure", tags: {} });
  });

  test.each([null, "text", {}, { sensor_id: "x", sensor: "y" }, { sensor: 4 }, { measurement: "pump" }])(
    "%j has none",
    (raw) => expect(sentKey(raw)).toBeNull(),
  );

  test("have one text whatever the order of their tags", () => {
    const key = (tags: Record<string, string>) => keyText({ measurement: "m", field: "f", tags });
    expect(key({ a: "1", b: "2" })).toBe(key({ b: "2", a: "1" }));
    expect(key({ a: "1" })).not.toBe(key({ a: "2" }));
    expect(keyText({ name: "m" })).not.toBe(key({}));
  });
});

describe("tables as text", () => {
  const known = ["name", "sensor"];
  const cells = (text: string) => rowsOf(text, known).map((row) => row.cells);

  test.each([
    ["name,sensor\na,b\n", "commas"],
    ["Name;SENSOR\r\na;b", "semicolons, and capitals in the header"],
    ["\ufeffname\tsensor\ra\tb\r", "tabs, and a mark of the byte order"],
    ['"name","sensor"\n"a","b"', "quotations"],
    ["name,sensor\n\n  , \n a , b \n\n", "empty lines"],
  ])("%j has one record: %s", (text) => {
    expect(cells(text)).toEqual([{ name: "a", sensor: "b" }]);
  });

  test("quotations hold signs and line ends; a record that is too short has empty cells; lines are counted", () => {
    const rows = rowsOf('name,sensor\n"a\r\n""b"", c",d\ne\nf,\n', known);
    expect(rows).toEqual([
      { line: 2, cells: { name: 'a\r\n"b", c', sensor: "d" } },
      { line: 4, cells: { name: "e", sensor: "" } },
      { line: 5, cells: { name: "f", sensor: "" } },
    ]);
  });

  test.each([
    ["", "The first line must name the columns"],
    ["nam,sensor\na,b", 'it has "nam"'],
    ["name,sensor\na,b,c", "Line 2 has 3 cells, the header 2."],
    ['name,sensor\na,b\n"c,d\n', "Line 3 has a quotation mark that is not closed"],
    ['name,sensor\n"a"b,c', "Line 2 has a quotation mark"],
  ])("%j is refused, and what is wrong is said", (text, message) => {
    expect(() => rowsOf(text, known)).toThrow(message);
  });
});

describe("an import of mappings", () => {
  const [first, second] = SENSORS;
  const plan = (...lines: string[]) =>
    planOf(["name;measurement;field;tags;sensor;unit", ...lines].join("\n"), {
      sensors: SENSORS,
      mappings: MAPPINGS,
      units: UNITS,
    });

  test("tells what is new, what changes and what stays, and sends nothing for what stays", () => {
    const planned = plan(
      `S7-1200/DB1.PT4;;;;${first?.name};psi`,
      `;pump;pressure;host=gateway of hall 3, line=1;${first?.id.toUpperCase()};`,
      `New;;;;${second?.name};`,
    );
    expect(planned.map(({ line, becomes }) => [line, becomes])).toEqual([
      [2, "same"],
      [3, "changed"],
      [4, "new"],
    ]);
    expect(planned.map(({ body }) => body)).toEqual([
      null,
      {
        measurement: "pump",
        field: "pressure",
        tags: { line: "1", host: "gateway of hall 3" },
        sensor_id: first?.id ?? "",
        unit: null,
      },
      { name: "New", sensor_id: second?.id ?? "", unit: null },
    ]);
  });

  test.each([
    [[";;;;Main pump pressure;"], "It needs a name alone, or a measurement and a field."],
    [["a;b;c;;Main pump pressure;"], "It needs a name alone"],
    [["a;;;;nobody;"], 'No sensor of this system in use is called "nobody".'],
    [
      ["a;;;;Main pump pressure;furlong"],
      '"furlong" is no unit of Main pump pressure, which measures in bar.',
    ],
    [[";b;c;d;Main pump pressure;"], '"d" is no tag'],
    [["a;;;;Main pump pressure;", "a;;;;Tank temperature;"], "Line 2 maps it already."],
  ])("%j is wrong: %s", (lines, message) => {
    expect(plan(...lines).at(-1)).toMatchObject({
      becomes: "wrong",
      body: null,
      text: expect.stringContaining(message),
    });
  });
});
