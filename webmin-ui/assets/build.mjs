// Writes ../dist: script, style, fonts (hashed names), their gzip and brotli twins, icons.json and manifest.json.
// `npm ci && npm run build` is the whole of it; `npm run watch` rebuilds on a change.
import { context, build } from 'esbuild';
import { compile } from 'sass';
import { createHash } from 'node:crypto';
import { brotliCompressSync, constants, gzipSync } from 'node:zlib';
import { mkdirSync, readdirSync, readFileSync, renameSync, rmSync, writeFileSync } from 'node:fs';
import { basename, dirname, join } from 'node:path';
import { fileURLToPath } from 'node:url';

const here = dirname(fileURLToPath(import.meta.url));
const dist = join(here, '..', 'dist');
const next = join(here, '..', 'dist.next');
const watching = process.argv.includes('--watch');

/** Compiles the Tabler subset; everything else is plain CSS that esbuild bundles itself. */
const tabler = {
  name: 'tabler-subset',
  setup(esbuild) {
    esbuild.onLoad({ filter: /\.scss$/ }, ({ path }) => ({
      contents: compile(path, { loadPaths: [join(here, 'node_modules')], quietDeps: true }).css,
      loader: 'css',
    }));
  },
};

/** Puts the finished files where the server looks, all at once, so that no one ever sees half a build. */
const publish = {
  name: 'publish',
  setup(esbuild) {
    esbuild.onStart(() => {
      rmSync(next, { recursive: true, force: true });
      mkdirSync(next, { recursive: true });
    });
    esbuild.onEnd((result) => {
      if (result.errors.length > 0) return;
      const manifest = {};
      for (const [path, output] of Object.entries(result.metafile.outputs)) {
        if (output.entryPoint) manifest[basename(output.entryPoint)] = basename(path);
        else if (path.endsWith('.woff2')) manifest[basename(Object.keys(output.inputs)[0])] = basename(path);
      }
      for (const file of result.outputFiles) writeFileSync(join(next, basename(file.path)), file.contents);
      manifest['favicon.svg'] = favicon();
      writeFileSync(join(next, 'manifest.json'), JSON.stringify(manifest, null, 2));
      writeFileSync(join(next, 'icons.json'), JSON.stringify(icons(), null, 1));
      if (!watching) compress();
      rmSync(dist, { recursive: true, force: true });
      renameSync(next, dist);
      report();
    });
  },
};

/** Copies the favicon under a name with the hash of its content; returns that name. */
function favicon() {
  const svg = readFileSync(join(here, 'favicon.svg'));
  const name = `favicon-${createHash('sha256').update(svg).digest('hex').slice(0, 8)}.svg`;
  writeFileSync(join(next, name), svg);
  return name;
}

/** The inner shapes of the icons named in icons.txt; the server writes them into the page. */
function icons() {
  const found = {};
  for (const name of readFileSync(join(here, 'icons.txt'), 'utf8').split(/\s+/).filter(Boolean)) {
    const svg = readFileSync(join(here, 'node_modules/@tabler/icons/icons/outline', `${name}.svg`), 'utf8');
    const inner = svg.slice(svg.indexOf('>', svg.indexOf('<svg')) + 1, svg.lastIndexOf('</svg>'));
    found[name] = inner.replace(/\s*\n\s*/g, '').replace(/<path stroke="none"[^>]*\/>/, '');
  }
  return found;
}

function compress() {
  for (const name of readdirSync(next)) {
    if (!/\.(js|css|svg)$/.test(name)) continue;
    const bytes = readFileSync(join(next, name));
    writeFileSync(join(next, `${name}.gz`), gzipSync(bytes, { level: 9 }));
    const params = { [constants.BROTLI_PARAM_QUALITY]: 11 };
    writeFileSync(join(next, `${name}.br`), brotliCompressSync(bytes, { params }));
  }
}

function report() {
  for (const name of readdirSync(dist).filter((name) => /\.(js|css)$/.test(name))) {
    const bytes = readFileSync(join(dist, name));
    console.log(`${name}  ${bytes.length} bytes, ${gzipSync(bytes, { level: 9 }).length} gzipped`);
  }
}

const options = {
  absWorkingDir: here,
  entryPoints: ['src/early.ts', 'src/webmin.ts', 'style/webmin.css'],
  entryNames: '[name]-[hash]',
  chunkNames: '[name]-[hash]',
  assetNames: '[name]-[hash]',
  outdir: next,
  bundle: true,
  splitting: true,
  format: 'esm',
  target: ['chrome123', 'firefox121', 'safari17.5'],
  minify: true,
  legalComments: 'none',
  loader: { '.woff2': 'file' },
  metafile: true,
  write: false,
  plugins: [tabler, publish],
  logLevel: 'info',
};

if (watching) await (await context(options)).watch();
else await build(options);
