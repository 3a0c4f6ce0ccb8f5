/** Rooms for benchmarks: of a model with words and short stages, or of one with long stages and no words. */
import { mkdtemp, rm } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import type { Browser } from 'playwright';
import { serveModel, type ServedModel } from '../harness/servers/serve-model.ts';
import { openTabRoom, type TabRoom } from '../harness/devices/tab-room.ts';
import { writeWideModel } from './wide-model.ts';
import type { HostOptions } from '../../src/room/index.ts';

/** `short`: those of the model that was asked for. `long`: those of `wide-model.ts`. */
export type StageLength = 'short' | 'long';

export interface BenchRooms {
  readonly browser: Browser;
  /** Opens a room of so many devices of one thread each, and closes it after `measure`. */
  within<T>(
    stages: StageLength,
    devices: number,
    host: Partial<HostOptions>,
    measure: (room: TabRoom) => Promise<T>,
  ): Promise<T>;
  close(): Promise<void>;
}

export function benchRooms(
  browser: Browser,
  short: ServedModel,
  say: (step: string) => void,
): BenchRooms {
  let wide: { served: ServedModel; folder: string } | null = null;

  async function servedWide(): Promise<ServedModel> {
    if (wide) return wide.served;
    say('Writing a model with long stages');
    const folder = await mkdtemp(join(tmpdir(), 'edgeshard-wide-'));
    await writeWideModel(folder);
    wide = { served: await serveModel(folder, say), folder };
    return wide.served;
  }

  return {
    browser,
    async within(stages, devices, host, measure) {
      const { origin, model } = stages === 'short' ? short : await servedWide();
      const room = await openTabRoom(browser, {
        origin,
        devices,
        // One thread a device: the devices of this room share the machine's cores.
        device: { backend: 'wasm', threads: 1, memoryBudgetBytes: 2e9 },
        host: {
          model,
          plan: devices === 1 ? 'auto' : 'even',
          weights: 'f32',
          wire: 'f32',
          speculation: false,
          ...host,
        },
      });
      try {
        return await measure(room);
      } finally {
        await room.close();
      }
    },
    async close() {
      if (!wide) return;
      await wide.served.close();
      await rm(wide.folder, { recursive: true });
    },
  };
}
