// Makes the caches saelens-cache/ and saelens-cache-f16/ beside it, as SAELens and the datasets library lay them out, with the
// independent Arrow library of npm (apache-arrow 17): node make_arrow.mjs [OUT_DIR]. values[row, j] = row + j / 8.
import fs from 'node:fs';
import path from 'node:path';
import {
  Field, FixedSizeList, Float16, Float32, Int32, Int64, List, RecordBatch, RecordBatchStreamWriter, Schema, Struct, Utf8, makeData,
  vectorFromArray,
} from 'apache-arrow';

const out = process.argv[2] ?? import.meta.dirname;
const context = 2;
const width = 3;
const half = (value) => {
  // exact for the few values here: 0 ≤ value < 16, a multiple of 1/8
  if (value === 0) return 0;
  const exponent = Math.floor(Math.log2(value));
  return ((exponent + 15) << 10) | Math.round((value / 2 ** exponent - 1) * 1024);
};

function batch(schema, first, contexts, type, tokenType, more) {
  const rows = contexts * context;
  const values = Array.from({ length: rows * width }, (_, i) => first + Math.floor(i / width) + (i % width) / 8);
  const numbers = type instanceof Float16
    ? makeData({ type, length: values.length, data: Uint16Array.from(values, half) })
    : makeData({ type, length: values.length, data: Float32Array.from(values) });
  const steps = (n, size) => Int32Array.from({ length: n + 1 }, (_, i) => i * size);
  const inner = makeData({ type: schema.fields[0].type.children[0].type, length: rows, valueOffsets: steps(rows, width), child: numbers });
  const outer = makeData({ type: schema.fields[0].type, length: contexts, valueOffsets: steps(contexts, context), child: inner });
  const ids = Array.from({ length: rows }, (_, i) => 100 + first + i);
  const tokens = tokenType.children[0].type instanceof Int64
    ? makeData({
      type: tokenType, length: contexts, valueOffsets: steps(contexts, context),
      child: makeData({ type: new Int64(), length: rows, data: BigInt64Array.from(ids, BigInt) }),
    })
    : makeData({ type: tokenType, length: contexts, child: makeData({ type: new Int32(), length: rows, data: Int32Array.from(ids) }) });
  const children = [outer, tokens, ...more(contexts)];
  return new RecordBatch(schema, makeData({ type: new Struct(schema.fields), length: contexts, children }));
}

function cache(name, type, tokenType, dtype, extra, more) {
  const folder = path.join(out, name);
  fs.mkdirSync(folder, { recursive: true });
  const array2d = new Map([
    ['ARROW:extension:name', 'datasets.features.features.Array2DExtensionType'],
    ['ARROW:extension:metadata', `[[${context}, ${width}], "${dtype}"]`],
  ]);
  const item = (inner) => new List(new Field('item', inner, true));
  const hook = 'blocks.0.hook_mlp_out';
  const schema = new Schema(
    [new Field(hook, item(item(type)), true, array2d), new Field('token_ids', tokenType, true), ...extra],
    new Map([['huggingface', JSON.stringify({ info: { features: { [hook]: { shape: [context, width], dtype, _type: 'Array2D' } } } })]]),
  );
  const files = [[[0, 2], [4, 1]], [[6, 2]]];
  const names = files.map((batches, i) => {
    const file = `data-0000${i}-of-0000${files.length}.arrow`;
    const made = batches.map(([first, contexts]) => batch(schema, first, contexts, type, tokenType, more));
    fs.writeFileSync(path.join(folder, file), RecordBatchStreamWriter.writeAll(made).toUint8Array(true));
    return file;
  });
  fs.writeFileSync(path.join(folder, 'state.json'), JSON.stringify({
    _data_files: names.map((filename) => ({ filename })), _fingerprint: '0123456789abcdef', _format_columns: null, _format_kwargs: {},
    _format_type: null, _output_all_columns: false, _split: null,
  }, null, 2));
  fs.writeFileSync(path.join(folder, 'dataset_info.json'), JSON.stringify({ features: {} }, null, 2));
}

cache('saelens-cache', new Float32(), new FixedSizeList(context, new Field('item', new Int32(), true)), 'float32', [], () => []);
// Half precision, 64-bit token ids in plain lists, and a column of text that is stepped over.
cache(
  'saelens-cache-f16', new Float16(), new List(new Field('item', new Int64(), true)), 'float16', [new Field('text', new Utf8(), true)],
  (contexts) => [vectorFromArray(Array.from({ length: contexts }, () => 'naïve'), new Utf8()).data[0]],
);
