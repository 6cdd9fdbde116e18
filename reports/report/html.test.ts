import { describe, expect, it } from 'vitest';
import { escapeHtml, html, scriptJson, scriptSource, trusted } from './html.ts';

describe('html', () => {
  it('escapes values, in text and in attributes', () => {
    expect(html`<a title="${'"><script>'}">${"<b>&'"}</a>`.text).toBe(
      '<a title="&quot;&gt;&lt;script&gt;">&lt;b&gt;&amp;&#39;</a>',
    );
  });

  it('passes markup through, joins lists, drops nothing-values, writes zero', () => {
    expect(html`${html`<i>${'<'}</i>`}${[html`<b>1</b>`, '&', 2]}${false}${null}${undefined}${0}`.text).toBe(
      '<i>&lt;</i><b>1</b>&amp;20',
    );
  });

  it('does not take an object that looks like markup for markup', () => {
    const parsed = JSON.parse('{"text":"<b>"}');
    expect(() => html`${parsed}`).toThrow();
  });
});

describe('scriptJson', () => {
  it('leaves nothing that could end the script and parses back', () => {
    const value = { name: '</script><!--<script>\u2028&', list: [1, null, '\\"'] };
    const text = scriptJson(value);
    expect(text).not.toMatch(/[<>&\u2028]/);
    expect(JSON.parse(text)).toEqual(value);
  });
});

it('breaks up what ends or re-opens a script in a library, and nothing else', () => {
  expect(scriptSource('a="</script>";b="<!--";c=a<b')).toBe('a="<\\/script>";b="<\\!--";c=a<b');
  expect(trusted('<b>').text).toBe('<b>');
  expect(escapeHtml('plain')).toBe('plain');
});
