/** What a run of chaos has shown: a table of faults, and what became of the answers. */
import { quantile } from '../bench/statistics.ts';
import { table } from '../bench/table.ts';
import type { Verdict } from './verify-answers.ts';
import type { Effect } from './measure.ts';
import type { FaultKind } from './schedule.ts';

export interface ChaosReport {
  seed: number;
  minutes: number;
  effects: Effect[];
  verdict: Verdict;
  /** Script errors on pages, and faults that could not be done. */
  problems: string[];
}

export interface KindFigures {
  fault: FaultKind;
  times: number;
  /** Of those that the host's screen showed. */
  noticed: number;
  detectionP50Ms: number | null;
  detectionMaxMs: number | null;
  pauseP50Ms: number | null;
  pauseMaxMs: number | null;
}

/** Whether nothing is to be complained of. */
export function isFlawless({ verdict, problems }: ChaosReport): boolean {
  return reportsOf(verdict).length === 0 && problems.length === 0;
}

function figuresByKind(effects: readonly Effect[]): KindFigures[] {
  const kinds = [...new Set(effects.map(({ kind }) => kind))];
  return kinds.map((fault) => {
    const own = effects.filter(({ kind }) => kind === fault);
    const detections = own.flatMap(({ detectionMs }) => detectionMs ?? []);
    const pauses = own.flatMap(({ pauseMs }) => pauseMs ?? []);
    return {
      fault,
      times: own.length,
      noticed: detections.length,
      detectionP50Ms: at(detections, 0.5),
      detectionMaxMs: at(detections, 1),
      pauseP50Ms: at(pauses, 0.5),
      pauseMaxMs: at(pauses, 1),
    };
  });
}

export function asText(report: ChaosReport): string {
  const { seed, minutes, effects, verdict, problems } = report;
  const { answers, ofDevices, gone, wrong, lost, hung } = verdict;
  return [
    `Seed ${seed}, ${minutes} minutes.`,
    '',
    table(
      figuresByKind(effects).map((figures) => ({
        fault: figures.fault,
        times: figures.times,
        noticed: figures.noticed,
        'detection p50 ms': figures.detectionP50Ms,
        'max ms': figures.detectionMaxMs,
        'pause p50 ms': figures.pauseP50Ms,
        'pause max ms': figures.pauseMaxMs,
      })),
    ),
    '',
    `${answers} answers of the host’s, ${ofDevices} of devices (${gone} went with who had asked): ` +
      `${wrong.length} wrong, ${lost.length} lost, ${hung.length} hung.`,
    ...reportsOf(verdict),
    ...problems,
  ].join('\n');
}

export function asJson(report: ChaosReport): string {
  return JSON.stringify({ ...report, effects: undefined, faults: figuresByKind(report.effects) });
}

export function reportsOf({ wrong, lost, hung }: Verdict): string[] {
  return [
    ...wrong.map((which) => `Wrong: ${which}`),
    ...lost.map((which) => `Lost: ${which}`),
    ...hung.map((which) => `Hung: ${which}`),
  ];
}

function at(values: readonly number[], q: number): number | null {
  return values.length === 0 ? null : quantile([...values], q);
}
