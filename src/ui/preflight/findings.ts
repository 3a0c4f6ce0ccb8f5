/** What a device's capabilities mean for a room, in words, and what a person can do about it. */
import type { Capabilities } from './capabilities.ts';

export interface Finding {
  subject: string;
  /** `missing`: the device cannot take part; `limited`: it can, with less. */
  level: 'good' | 'limited' | 'missing';
  finding: string;
  /** Empty where there is nothing to do. */
  advice: string;
}

export function findings(capabilities: Capabilities): Finding[] {
  return [
    connection(capabilities),
    compute(capabilities),
    threads(capabilities),
    links(capabilities),
    path(capabilities),
    storage(capabilities),
    screen(capabilities),
    sound(capabilities),
    sight(capabilities),
  ];
}

function connection({ secureContext }: Capabilities): Finding {
  const subject = 'Connection';
  return secureContext
    ? good(subject, 'This page may use all that the browser has.')
    : missing(
        subject,
        'This page came over plain HTTP, so the browser withholds what a room needs.',
        'Open its https:// address, or localhost on the computer that serves it.',
      );
}

function compute({ webGpu, secureContext }: Capabilities): Finding {
  const subject = 'Compute';
  switch (webGpu) {
    case 'hardware':
      return good(subject, 'WebGPU reaches the graphics chip.');
    case 'software':
      return limited(
        subject,
        'WebGPU finds no graphics chip here. The processor computes with WebAssembly, which is faster there than WebGPU.',
        'Allow hardware acceleration in the browser’s settings, and bring drivers up to date.',
      );
    case 'none':
      return limited(
        subject,
        'This browser has no WebGPU here. The processor computes with WebAssembly.',
        secureContext
          ? 'A recent Chrome, Edge, Safari or Firefox may reach the graphics chip; so may newer drivers.'
          : 'Open the https:// address first: without it a browser withholds WebGPU.',
      );
  }
}

function threads({ threads: count, crossOriginIsolated }: Capabilities): Finding {
  const subject = 'Threads';
  return crossOriginIsolated
    ? good(subject, count === 1 ? 'One thread computes.' : `${count} threads compute.`)
    : limited(
        subject,
        'One thread computes, because this page is not isolated from other sites.',
        'Serve it with the headers Cross-Origin-Opener-Policy and Cross-Origin-Embedder-Policy, as npm start does.',
      );
}

function links({ webRtc }: Capabilities): Finding {
  const subject = 'Links';
  return webRtc
    ? good(subject, 'WebRTC can connect to other devices.')
    : missing(
        subject,
        'This browser has no WebRTC, so no other device can be reached.',
        'Allow WebRTC in the browser’s settings, or take another browser.',
      );
}

function path({ relay, webRtc }: Capabilities): Finding {
  const subject = 'Ways to other devices';
  if (!webRtc) return missing(subject, 'There are none without WebRTC.', 'See above.');
  switch (relay) {
    case 'reached':
      return good(
        subject,
        'Directly where the network lets devices reach each other, and otherwise by way of this server.',
      );
    case 'none':
      return limited(
        subject,
        'Directly only. In a network that keeps its devices apart, such as a guest Wi-Fi, they cannot join a room.',
        'Connect all devices to one ordinary network, or start the app with npm start: its server passes packets on.',
      );
    case 'unreachable':
      return limited(
        subject,
        'Directly only. The server offers to pass packets on, but it does not answer over UDP.',
        'Allow UDP through the server’s firewall, on the port of its https:// address. A VPN on this device may block it too.',
      );
  }
}

function storage({ storage: state }: Capabilities): Finding {
  const subject = 'Storage';
  switch (state) {
    case 'kept':
      return good(subject, 'Layers are kept for the next visit.');
    case 'full':
      return limited(
        subject,
        'The disk space that the browser gives this page is used up, so new layers are not kept.',
        'Free some space on the disk, or clear models under Storage.',
      );
    case 'refused':
      return limited(
        subject,
        'The browser keeps nothing, so each visit fetches its layers again.',
        'Leave the private window, or allow this site to keep data.',
      );
  }
}

function screen({ wakeLock }: Capabilities): Finding {
  const subject = 'Screen';
  return wakeLock
    ? good(subject, 'It stays on while this tab is in a room.')
    : limited(
        subject,
        'The browser does not let a page keep the screen on. A device that falls asleep leaves the room.',
        'Set the screen’s time-out to never for as long as the room lasts.',
      );
}

function sound({ sound: plays }: Capabilities): Finding {
  const subject = 'Quiet tone';
  return plays
    ? good(
        subject,
        'It can be played in a room. Most browsers do not slow down a hidden tab that plays it.',
      )
    : limited(
        subject,
        'The browser plays no sound, so it slows this tab down while it is hidden.',
        'Keep the tab in front.',
      );
}

function sight({ hidden }: Capabilities): Finding {
  const subject = 'In sight';
  return hidden
    ? limited(
        subject,
        'This tab is hidden. The browser slows it down, and a room would wait for it.',
        'Bring it to the front, in a window of its own.',
      )
    : good(subject, 'This tab is in front.');
}

function good(subject: string, finding: string): Finding {
  return { subject, level: 'good', finding, advice: '' };
}

function limited(subject: string, finding: string, advice: string): Finding {
  return { subject, level: 'limited', finding, advice };
}

function missing(subject: string, finding: string, advice: string): Finding {
  return { subject, level: 'missing', finding, advice };
}
