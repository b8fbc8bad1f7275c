export * from './locations';
export * from './manifest';
export * from './sessions';
export * from './devices';
export * from './tiling';
