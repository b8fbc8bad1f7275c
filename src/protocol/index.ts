export * from './tasks';
export * from './errors';
export * from './run';
export * from './messages';
export * from './display';
export * from './kernel';
export * from './renderer';
export * from './panel';
