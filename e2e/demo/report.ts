import { emulationText } from '../../src/ui/devices/emulation.ts';
import { formatLayerRanges, formatLayersShort } from '../../src/ui/format-layers.ts';
import type { DemoOptions } from './options.ts';
import type { AnswerResult, DeviceView, RoomView } from '../../src/room/index.ts';

export function report(view: RoomView, result: AnswerResult): string {
  const { plan } = view;
  const modelLayers = view.model?.layers ?? 0;
  const stages = (plan?.stages ?? []).map(
    (stage) => `${stage.device} ${formatLayersShort(stage, modelLayers)}`,
  );
  const perSecond = result.msPerToken > 0 ? 1000 / result.msPerToken : 0;
  return [
    '',
    `Plan:      ${stages.join(' → ')}`,
    `           ${plan?.why ?? ''}`,
    ...view.devices.map(
      (device) => `${`${device.id}:`.padEnd(10)} ${deviceText(device, modelLayers)}`,
    ),
    `Speed:     ${perSecond.toFixed(1)} tokens/s, ${result.msPerToken.toFixed(2)} ms a token` +
      ` (predicted ${result.predictedMsPerToken.toFixed(2)}), first token after ${result.ttftMs.toFixed(0)} ms`,
    `Tokens:    ${result.promptIds.length} read, ${result.ids.length} written`,
  ].join('\n');
}

export function reportJson(view: RoomView, result: AnswerResult, options: DemoOptions): string {
  const { prompt } = options.ask;
  return JSON.stringify({
    model: view.model?.name,
    prompt: prompt.kind === 'text' ? prompt.text : null,
    promptIds: result.promptIds,
    ids: result.ids,
    text: result.text,
    topLogits: result.topLogits,
    stages: view.plan?.stages ?? [],
    devices: view.devices.map(({ id, compute, memory, bytesLoaded, emulation }) => ({
      id,
      backend: compute?.backend,
      layerMs: compute && { block: compute.blockMs, head: compute.headMs },
      memoryBytes: memory.usedBytes,
      bytesLoaded,
      emulation,
    })),
    ttftMs: result.ttftMs,
    msPerToken: result.msPerToken,
    predictedMsPerToken: result.predictedMsPerToken,
  });
}

function deviceText(device: DeviceView, modelLayers: number): string {
  const { compute, memory, bytesLoaded, link, layers, emulation } = device;
  const parts = [
    formatLayerRanges(layers, modelLayers) || 'holds nothing',
    compute
      ? `${compute.backend} ${compute.weights}, ${compute.blockMs.toFixed(2)} ms a block`
      : '',
    `${(memory.usedBytes / 1e6).toFixed(1)} MB held`,
    `${(bytesLoaded / 1e6).toFixed(1)} MB loaded`,
    link ? `${link.latencyMs.toFixed(2)} ms away` : '',
    emulation ? `links slowed: ${emulationText(emulation)}` : '',
  ];
  return parts.filter((part) => part !== '').join(', ');
}
