/** Puts the page together: its options, its session, its console, its screen. */
import { errorMessage } from '../base/error-message.ts';
import { mount } from 'svelte';
import { parseRoomLink } from '../transport/index.ts';
import App from './App.svelte';
import { comeBackFromPageCache } from './page-cache.ts';
import { consoleApi } from './console-api.ts';
import { parsePageOptions } from './page-options.ts';
import ClosedScreen from './screens/ClosedScreen.svelte';
import { createSession } from './session.svelte.ts';
import './styles/tokens.css';
import './styles/base.css';
import { findRoomRecord, joinRoom, openRoom } from '../room/index.ts';

const target = document.querySelector('#app') ?? document.body;

if (import.meta.env.DEV && new URLSearchParams(location.search).has('gallery')) {
  const { default: Gallery } = await import('./gallery/Gallery.svelte');
  mount(Gallery, { target });
} else {
  await start();
}

async function start(): Promise<void> {
  try {
    const options = parsePageOptions(location.search);
    const session = createSession({
      openRoom,
      joinRoom: (link, deviceOptions) => joinRoom(parseRoomLink(link), deviceOptions),
    });
    comeBackFromPageCache(session);
    globalThis.edgeshard = consoleApi(session, options);
    // A host that was reloaded is the host again; a room link in the address means another room.
    const record = location.hash.length > 1 ? null : await findRoomRecord();
    // What was kept by an earlier version of the app may lack an option.
    if (record) session.openRoom({ ...options.host, ...record.options }, record);
    mount(App, { target, props: { session, options } });
  } catch (error) {
    const reason = errorMessage(error);
    mount(ClosedScreen, {
      target,
      props: {
        title: 'This address does not work',
        reason,
        ways: [
          {
            label: 'Start without its settings',
            go: () => location.assign(location.pathname + location.hash),
          },
        ],
      },
    });
  }
}
