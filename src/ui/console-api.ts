import type { PageOptions } from './page-options.ts';
import { staticHost } from './server-info.ts';
import type { Session } from './session.svelte.ts';
import type { DeviceOptions, HostOptions, HostRoom, Room } from '../room/index.ts';

export interface ConsoleApi {
  /**
   * Opens a room. What is left out is as the page's address says, else the default; the model is
   * `shards/stories15m/manifest.json` unless `model` names another.
   */
  openRoom(options?: Partial<HostOptions>): HostRoom;
  /** Joins the room of a link. */
  joinRoom(link: string, options?: Partial<DeviceOptions>): Room;
  /** The room this tab is in; null before the first and after going back to the start. */
  readonly room: HostRoom | Room | null;
}

declare global {
  var edgeshard: ConsoleApi;
}

export function consoleApi(session: Session, defaults: PageOptions): ConsoleApi {
  return {
    openRoom(options = {}) {
      const manifestUrl = staticHost.models[0].manifestPath;
      const model = { kind: 'shards', manifestUrl } as const;
      return session.openRoom({ model, linkBaseUrl: null, ...defaults.host, ...options });
    },
    joinRoom(link, options = {}) {
      return session.joinRoom(link, { ...defaults.device, ...options });
    },
    get room() {
      return session.place.kind === 'start' ? null : session.place.room;
    },
  };
}
