// Figures of published pages as SVG: panels side by side, each with its heading and its two axes, in one hand. What is drawn in
// the panels is the page's own; people who tell colours apart with difficulty can read them.

import { type EChartsOption, init } from 'echarts';

/** After Okabe and Ito (2008), told apart by colour-blind readers too. */
export const figureColours = ['#0072b2', '#d55e00', '#009e73', '#b5488f', '#c48a00', '#56a8dc'] as const;
export const figureInk = '#17202a';
export const figureInkSoft = '#505b66';
// Without quotes: the server-side renderer writes the text into an attribute as it is.
const fontFamily = 'system-ui, -apple-system, Segoe UI, Roboto, Helvetica Neue, Arial, sans-serif';
const label = { color: figureInkSoft, fontSize: 12 };

export interface FigurePanel {
  readonly heading: string;
  /** Shares of the figure's width, in per cent, as echarts takes them. */
  readonly left: string;
  readonly width: string;
}

export interface PanelFigure {
  /** What a reader who cannot see it is told. */
  readonly title: string;
  readonly width?: number;
  readonly height: number;
  readonly panels: readonly FigurePanel[];
  /** Names of the series told apart by colour, in the first panel. */
  readonly legend?: readonly string[];
  /** Pixels between the names of the legend. */
  readonly legendGap?: number;
  /** One of each a panel: see `horizontalAxis` and `verticalAxis`. */
  readonly xAxis: readonly object[];
  readonly yAxis: readonly object[];
  readonly series: readonly object[];
}

export function panelFigure(figure: PanelFigure): string {
  const { title, width = 1120, height, panels, legend, legendGap = 16, xAxis, yAxis, series } = figure;
  const left = panels[0]?.left ?? '5%';
  return drawFigure(title, width, height, {
    title: panels.map((panel) => ({
      text: panel.heading,
      left: panel.left,
      top: 12,
      textStyle: { fontSize: 14, fontWeight: 600, color: figureInk },
    })),
    ...(legend === undefined
      ? {}
      : {
          legend: {
            data: legend.map((name) => ({ name, icon: 'roundRect' })),
            left,
            top: 40,
            itemGap: legendGap,
            itemWidth: 16,
            itemHeight: 4,
            textStyle: { color: figureInk, fontSize: 12 },
          },
        }),
    grid: panels.map((panel) => ({ left: panel.left, width: panel.width, top: 76, bottom: 54 })),
    xAxis,
    yAxis,
    series,
  });
}

/** What echarts draws of `option`, as SVG on white; `title` is what a reader who cannot see it is told. */
export function drawFigure(title: string, width: number, height: number, option: object): string {
  const chart = init(null, null, { renderer: 'svg', ssr: true, width, height });
  const whole = {
    animation: false,
    backgroundColor: '#ffffff',
    textStyle: { fontFamily, color: figureInk },
    ...option,
  };
  chart.setOption(whole as EChartsOption);
  const svg = chart.renderToSVGString();
  chart.dispose();
  return `${svg.replace(/^<svg ([^>]*)>/, `<svg role="img" $1>\n<title>${title}</title>`)}\n`;
}

export function horizontalAxis(panel: number, name: string, extra: object): object {
  return {
    nameTextStyle: label,
    axisLabel: label,
    gridIndex: panel,
    name,
    nameLocation: 'middle',
    nameGap: 28,
    splitLine: { show: false },
    axisLine: { lineStyle: { color: '#b9c0c7' } },
    ...extra,
  };
}

export function verticalAxis(panel: number, extra: object): object {
  return {
    axisLabel: label,
    gridIndex: panel,
    splitLine: { lineStyle: { color: '#eceef0' } },
    axisLine: { show: false },
    ...extra,
  };
}

/** Labels of an axis, written as `text` says. */
export function axisLabels(text: (value: number) => string): object {
  return { ...label, formatter: text };
}

/** A dashed line that says what is aimed at: for a series' `markLine`. */
export function goalLine(mark: object, text: string): object {
  return {
    silent: true,
    symbol: 'none',
    lineStyle: { color: figureInkSoft, type: 'dashed', width: 1.5 },
    label: { formatter: text, ...label, position: 'insideEndTop' },
    data: [mark],
  };
}
