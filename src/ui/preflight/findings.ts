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
    storage(capabilities),
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

function compute({ hardwareGpu }: Capabilities): Finding {
  const subject = 'Compute';
  return hardwareGpu
    ? { subject, level: 'good', finding: 'WebGPU reaches the graphics chip.', advice: '' }
    : {
        subject,
        level: 'limited',
        finding: 'No graphics chip for WebGPU: the processor computes, with WebAssembly.',
        advice:
          'A recent Chrome, Edge, Safari or Firefox may reach the chip; so may newer drivers.',
      };
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

function storage({ storage: keeps }: Capabilities): Finding {
  const subject = 'Storage';
  return keeps
    ? { subject, level: 'good', finding: 'Rows are kept for the next visit.', advice: '' }
    : {
        subject,
        level: 'limited',
        finding: 'The browser keeps nothing: each visit fetches its rows again.',
        advice: 'Leave the private window, or free some space on the disk.',
      };
}
