/** Charts of what a query answers: in the terminal, and as SVG. */
export { chartOf } from "./chart.ts";
export type { Chart, Charted, Kind, Wanted } from "./chart.ts";
export { svgChart } from "./svg-chart.ts";
export { terminalChart } from "./terminal-chart.ts";
