import { svelte } from '@sveltejs/vite-plugin-svelte';
import { defineConfig } from 'vite';

/** What the wasm threads of ONNX Runtime need: a page isolated from other origins. */
const isolation = {
  'Cross-Origin-Opener-Policy': 'same-origin',
  'Cross-Origin-Embedder-Policy': 'require-corp',
};

/** Where `npm run dev` finds the room's server: whatever `npm start` serves beside it. */
const localServer = process.env['EDGESHARD_SERVER'] ?? 'http://127.0.0.1:8080';

export default defineConfig({
  // Relative addresses, so that the same build also works from a folder of a static host.
  base: './',
  plugins: [svelte({ configFile: false })],
  define: {
    // A signalling server and ICE servers of one's own (JSON), set when the app is built.
    'import.meta.env.VITE_EDGESHARD_SIGNALLING': setting('EDGESHARD_SIGNALLING'),
    'import.meta.env.VITE_EDGESHARD_ICE': setting('EDGESHARD_ICE'),
  },
  worker: { format: 'es' },
  build: {
    // The oldest browsers with WebGPU or with what the wasm path needs; all have ES2022.
    target: 'es2022',
    // Icons stay files of their own: the page's policy then needs no data: addresses for them.
    assetsInlineLimit: 0,
    chunkSizeWarningLimit: 1024,
  },
  // ONNX Runtime finds its own worker and binary beside its module; bundling it ahead loses them.
  optimizeDeps: { exclude: ['onnxruntime-web'] },
  server: {
    headers: isolation,
    proxy: {
      '/peerjs': { target: localServer, ws: true },
      '/api': localServer,
      '/shards': localServer,
    },
  },
  preview: { headers: isolation },
});

function setting(name: string): string {
  return JSON.stringify(process.env[name] ?? '');
}
