/** This device as its own screen shows it. */
import type { Link } from '../../transport/index.ts';
import type { DeviceView } from '../view.ts';

export interface OwnView {
  /** What was shown last, whatever the connection does. */
  readonly now: DeviceView;
  show: (change: Partial<DeviceView>) => void;
}

/** While the connection to the host is broken and being made anew, that is what the device is said to do. */
export function createOwnView(
  called: Pick<DeviceView, 'id' | 'label'>,
  host: Pick<Link, 'onInterrupted' | 'onResumed'>,
  onShown: (device: DeviceView) => void,
): OwnView {
  let now = newcomer(called);
  let isInterrupted = false;

  function show(change: Partial<DeviceView>): void {
    now = { ...now, ...change };
    onShown(isInterrupted ? { ...now, status: { kind: 'reconnecting' } } : now);
  }

  host.onInterrupted(() => {
    isInterrupted = true;
    show({});
  });
  host.onResumed(() => {
    isInterrupted = false;
    show({});
  });
  return {
    get now() {
      return now;
    },
    show,
  };
}

function newcomer(called: Pick<DeviceView, 'id' | 'label'>): DeviceView {
  return {
    ...called,
    isThisDevice: true,
    status: { kind: 'connecting' },
    layers: [],
    compute: null,
    memory: { budgetBytes: 0, usedBytes: 0 },
    bytesLoaded: 0,
    link: null,
    emulation: null,
    stages: [],
    isHidden: false,
  };
}
