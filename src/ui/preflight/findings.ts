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
    ? { subject, level: 'good', finding: 'This page may use all that the browser has.', advice: '' }
    : {
        subject,
        level: 'missing',
        finding: 'This page came over plain HTTP, and the browser withholds what a room needs.',
        advice: 'Open its https:// address, or localhost on the computer that serves it.',
      };
}

function compute({ webGpu, secureContext }: Capabilities): Finding {
  const subject = 'Compute';
  switch (webGpu) {
    case 'hardware':
      return { subject, level: 'good', finding: 'WebGPU reaches the graphics chip.', advice: '' };
    case 'software':
      return {
        subject,
        level: 'limited',
        finding:
          'WebGPU finds no graphics chip here: the processor computes, with WebAssembly, which is the faster of the two.',
        advice:
          'Allow hardware acceleration in the browser’s settings, and bring drivers up to date.',
      };
    case 'none':
      return {
        subject,
        level: 'limited',
        finding: 'This browser has no WebGPU here: the processor computes, with WebAssembly.',
        advice: secureContext
          ? 'A recent Chrome, Edge, Safari or Firefox may reach the graphics chip; so may newer drivers.'
          : 'Open the https:// address first: without it a browser withholds WebGPU.',
      };
  }
}

function threads({ threads: count, crossOriginIsolated }: Capabilities): Finding {
  const subject = 'Threads';
  if (crossOriginIsolated) {
    const finding = count === 1 ? 'One thread computes.' : `${count} threads compute.`;
    return { subject, level: 'good', finding, advice: '' };
  }
  return {
    subject,
    level: 'limited',
    finding: 'One thread computes, because this page is not isolated from other sites.',
    advice:
      'Serve it with the headers Cross-Origin-Opener-Policy and Cross-Origin-Embedder-Policy, as npm start does.',
  };
}

function links({ webRtc }: Capabilities): Finding {
  const subject = 'Links';
  return webRtc
    ? { subject, level: 'good', finding: 'WebRTC can connect to other devices.', advice: '' }
    : {
        subject,
        level: 'missing',
        finding: 'This browser has no WebRTC, so no other device can be reached.',
        advice: 'Allow WebRTC in the browser’s settings, or take another browser.',
      };
}

function path({ relay, webRtc }: Capabilities): Finding {
  const subject = 'Ways to other devices';
  if (!webRtc)
    return {
      subject,
      level: 'missing',
      finding: 'None, without WebRTC.',
      advice: 'See above.',
    };
  switch (relay) {
    case 'reached':
      return {
        subject,
        level: 'good',
        finding:
          'Straight, where the network lets devices reach each other; else by way of this server.',
        advice: '',
      };
    case 'none':
      return {
        subject,
        level: 'limited',
        finding:
          'Straight only: a network that keeps its devices apart, as guest Wi-Fi does, would keep them out of a room.',
        advice:
          'Bring the devices into one ordinary network, or start the app with npm start, whose server passes packets on.',
      };
    case 'unreachable':
      return {
        subject,
        level: 'limited',
        finding:
          'Straight only: the server would pass packets on, but nothing comes back from it over UDP.',
        advice:
          'Let the server’s firewall pass UDP on the port of its https:// address; a VPN on this device may block it too.',
      };
  }
}

function storage({ storage: state }: Capabilities): Finding {
  const subject = 'Storage';
  switch (state) {
    case 'kept':
      return { subject, level: 'good', finding: 'Rows are kept for the next visit.', advice: '' };
    case 'full':
      return {
        subject,
        level: 'limited',
        finding:
          'The disk space that the browser gives this page is used up: new rows are not kept.',
        advice: 'Free some space on the disk, or drop kept models under Storage.',
      };
    case 'refused':
      return {
        subject,
        level: 'limited',
        finding: 'The browser keeps nothing: each visit fetches its rows again.',
        advice: 'Leave the private window, or allow this site to keep data.',
      };
  }
}

function screen({ wakeLock }: Capabilities): Finding {
  const subject = 'Screen';
  return wakeLock
    ? { subject, level: 'good', finding: 'It stays on while this tab is in a room.', advice: '' }
    : {
        subject,
        level: 'limited',
        finding: 'The browser does not let a page keep the screen on; a device that sleeps leaves.',
        advice: 'Set the screen’s time-out to never for as long as the room lasts.',
      };
}

function sound({ sound: plays }: Capabilities): Finding {
  const subject = 'Quiet tone';
  return plays
    ? {
        subject,
        level: 'good',
        finding: 'Can be played in a room, so that hiding the tab slows it down less.',
        advice: '',
      }
    : {
        subject,
        level: 'limited',
        finding: 'The browser plays no sound, so nothing keeps a hidden tab at speed.',
        advice: 'Keep the tab in front.',
      };
}

function sight({ hidden }: Capabilities): Finding {
  const subject = 'In sight';
  return hidden
    ? {
        subject,
        level: 'limited',
        finding: 'This tab is hidden: the browser slows it down, and a room would wait for it.',
        advice: 'Bring it to the front, in a window of its own.',
      }
    : { subject, level: 'good', finding: 'This tab is in front.', advice: '' };
}
