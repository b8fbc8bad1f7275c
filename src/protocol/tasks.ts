/** The three degradations that the package restores (their paths are defined in docs of `src/restoration/degradation`). */
export const TASKS = ['super-resolution', 'deblurring', 'low-light'] as const;
export type Task = (typeof TASKS)[number];

/** Metric protocols: `sr` = Y channel with a border of `scale` pixels cropped; `rgb` = all channels, no crop. */
export const METRIC_PROTOCOLS = ['sr', 'rgb'] as const;
export type MetricProtocol = (typeof METRIC_PROTOCOLS)[number];

/** Devices that may be asked for. `auto` takes the first of the others that works, in this order. */
export const DEVICES = ['auto', 'tensorrt', 'cuda', 'webgpu', 'dml', 'coreml', 'cpu'] as const;
export type Device = (typeof DEVICES)[number];
/** A device that really ran. */
export type ConcreteDevice = Exclude<Device, 'auto'>;

/** Frames of a trajectory unless the caller says otherwise (the shortest real clip of CogVideoX: 8N+1 with N = 1). */
export const DEFAULT_FRAMES = 9;

/**
 * Severity of frame `index` (1-based) in a clip of `count` frames: 1 for the degraded picture, 0 for the clean one.
 * s_k = (K - k) / (K - 1).
 */
export function severityOf(index: number, count: number): number {
  return (count - index) / (count - 1);
}

/** The protocol in which a task is usually reported: `sr` for super-resolution, `rgb` for the others. */
export function protocolOf(task: Task): MetricProtocol {
  return task === 'super-resolution' ? 'sr' : 'rgb';
}
