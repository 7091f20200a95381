import type { Mask } from './lettering.js';

/** Red, green, blue, each 0 to 255. */
export type Color = readonly [number, number, number];

export const WHITE: Color = [255, 255, 255];
export const BLACK: Color = [0, 0, 0];
export const GREY: Color = [95, 95, 95];
export const LIGHT_GREY: Color = [222, 222, 222];

/** A picture in the making: x grows to the right, y downwards. What falls outside is left out. */
export class Canvas {
  /** [height, width, 3], red, green, blue. */
  readonly pixels: Uint8Array;

  constructor(
    readonly width: number,
    readonly height: number,
  ) {
    this.pixels = new Uint8Array(width * height * 3).fill(255);
  }

  /** Lays `color` over the pixel; `coverage` 0 leaves it as it is, 1 replaces it. */
  blend(x: number, y: number, color: Color, coverage = 1): void {
    if (x < 0 || y < 0 || x >= this.width || y >= this.height) return;
    const place = (y * this.width + x) * 3;
    for (let channel = 0; channel < 3; channel++) {
      const below = this.pixels[place + channel]!;
      this.pixels[place + channel] = Math.round(below + coverage * (color[channel]! - below));
    }
  }

  fillRectangle(left: number, top: number, width: number, height: number, color: Color): void {
    for (let y = top; y < top + height; y++) {
      for (let x = left; x < left + width; x++) this.blend(x, y, color);
    }
  }

  drawMask(mask: Mask, left: number, top: number, color: Color): void {
    for (let y = 0; y < mask.height; y++) {
      for (let x = 0; x < mask.width; x++) {
        const coverage = mask.alpha[y * mask.width + x]!;
        if (coverage > 0) this.blend(left + x, top + y, color, coverage / 255);
      }
    }
  }

  /** The same bytes on every machine and Node: the encoder compresses in JavaScript, not by Node's zlib. */
  async png(): Promise<Uint8Array> {
    const { encode } = await import('fast-png');
    const { width, height } = this;
    return encode({ width, height, depth: 8, ...this.#channels() }, { zlib: { level: 6 } });
  }

  /**
   * A byte a pixel where the picture is grey or has few colours: files a third smaller in a third of the
   * time.
   */
  #channels(): { channels: 1 | 3; data: Uint8Array; palette?: [number, number, number][] } {
    const { pixels } = this;
    const indices = new Uint8Array(pixels.length / 3);
    const palette: [number, number, number][] = [];
    const places = new Map<number, number>();
    let coloured = false;
    for (let i = 0; i < indices.length; i++) {
      const [red, green, blue] = [pixels[3 * i]!, pixels[3 * i + 1]!, pixels[3 * i + 2]!];
      coloured ||= red !== green || red !== blue;
      const color = (red << 16) | (green << 8) | blue;
      let place = places.get(color);
      if (place === undefined) {
        if (palette.length === 256) return { channels: 3, data: pixels };
        place = palette.push([red, green, blue]) - 1;
        places.set(color, place);
      }
      indices[i] = place;
    }
    if (coloured) return { channels: 1, data: indices, palette };
    return { channels: 1, data: pixels.filter((_, i) => i % 3 === 0) };
  }
}
