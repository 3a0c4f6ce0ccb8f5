/** The face of a room: how one is opened or joined, and what a screen draws of it. */
export { joinRoom } from './device/index.ts';
export { findRoomRecord, openRoom, type RoomRecord } from './host/index.ts';
export type { Stage } from './lap.ts';
export { relayServers } from './links/index.ts';
export { needOf, usualContextLength } from './memory/index.ts';
export { inNextTask } from '../base/next-task.ts';
export type {
  Answer,
  AnswerResult,
  AskRequest,
  DeviceOptions,
  HostOptions,
  HostRoom,
  LapTiming,
  ModelChoice,
  Room,
} from './room.ts';
export { clearStorage, setStorageLimit, type StorageUsage, storageUsage } from './storage.ts';
export { createViewStore } from './view-store.ts';
export type {
  AnswerStatus,
  AnswerView,
  AskingMode,
  DeviceStatus,
  DeviceView,
  DoorMode,
  DoorView,
  LapView,
  LayerRange,
  ModelProblem,
  ModelView,
  PlanReasons,
  PlanView,
  RoomView,
  StageTiming,
} from './view.ts';
