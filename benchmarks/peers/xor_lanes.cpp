// XOR on a network with one hidden layer, trained by hand: one seed a SIMD lane, by the vector extensions of GCC and
// Clang, parameters in local arrays that the compiler keeps in registers, an update per example.
#include <algorithm>
#include <atomic>
#include <cstdint>
#include <cstring>
#include <thread>
#include <vector>

namespace {

constexpr int kExamples = 4, kInputs = 2;

template <class Number, int lanes>
using Lanes [[gnu::vector_size(lanes * sizeof(Number))]] = Number;

// The four examples, read when the program runs.
template <class Real>
struct GivenData {
  Real inputs[kExamples][kInputs];
  Real targets[kExamples];

  GivenData(const Real *x, const Real *y) {
    std::memcpy(inputs, x, sizeof inputs);
    std::memcpy(targets, y, sizeof targets);
  }
  Real input(int i, int k) const { return inputs[i][k]; }
  Real target(int i) const { return targets[i]; }
};

// The four examples, as constants in the code.
template <class Real>
struct KnownData {
  KnownData(const Real *, const Real *) {}
  static constexpr Real input(int i, int k) { return Real((i >> (1 - k)) & 1); }
  static constexpr Real target(int i) { return Real(i == 1 || i == 2); }
};

struct Relu {
  static constexpr int hidden = 4;
  template <class V> static V value(V z) { return z > 0 ? z : V{}; }
  template <class V> static V times_slope(V delta, V a) { return a > 0 ? delta : V{}; }
  template <class V> static V output(V z) { return z; }
  template <class V> static V output_times_slope(V delta, V) { return delta; }
};

// 1 / (1 + exp(-z)), float64: 2^n * e^r with a polynomial for |r| <= ln(2) / 2.
struct Sigmoid {
  static constexpr int hidden = 2;
  template <class V> static V value(V z) {
    constexpr int lanes = sizeof(V) / sizeof(double);
    constexpr double shift = 0x1.8p52;  // adding it rounds to an integer, which the low bits then hold
    const V zero = {}, low = zero - 700, high = zero + 700;
    V x = -z;
    x = x < low ? low : x > high ? high : x;
    const V shifted = x * 0x1.71547652b82fep0 + shift, n = shifted - shift;
    const V r = (x - n * 0x1.62e42fefa39efp-1) - n * 0x1.abc9e3b39803fp-56;
    V e = zero + 1.0 / 6227020800;
    for (double c : {1.0 / 479001600, 1.0 / 39916800, 1.0 / 3628800, 1.0 / 362880, 1.0 / 40320, 1.0 / 5040, 1.0 / 720,
                     1.0 / 120, 1.0 / 24, 1.0 / 6, 0.5, 1.0, 1.0})
      e = e * r + c;
    const auto bits = (Lanes<std::int64_t, lanes>)shifted;
    return 1.0 / (1.0 + e * (V)((bits + 1023) << 52));
  }
  template <class V> static V times_slope(V delta, V a) { return delta * a * (1 - a); }
  template <class V> static V output(V z) { return value(z); }
  template <class V> static V output_times_slope(V delta, V a) { return times_slope(delta, a); }
};

// Parameters of `lanes` networks.
template <class Real, int lanes, class Kind>
struct Block {
  using V = Lanes<Real, lanes>;
  static constexpr int H = Kind::hidden;
  V w1[kInputs][H], b1[H], w2[H], b2;

  // w1 (n_seeds, 2, H), b1 (n_seeds, H), w2 (n_seeds, H), b2 (n_seeds,); lanes past the last seed repeat it
  Block(const Real *pw1, const Real *pb1, const Real *pw2, const Real *pb2, std::int64_t first, std::int64_t n_seeds) {
    for (int lane = 0; lane < lanes; ++lane) {
      const std::int64_t s = std::min(first + lane, n_seeds - 1);
      for (int j = 0; j < H; ++j) {
        for (int k = 0; k < kInputs; ++k) w1[k][j][lane] = pw1[(s * kInputs + k) * H + j];
        b1[j][lane] = pb1[s * H + j];
        w2[j][lane] = pw2[s * H + j];
      }
      b2[lane] = pb2[s];
    }
  }

  template <class Data> V forward(V (&h)[H], const Data &data, int i) const {
    V out = b2;
    for (int j = 0; j < H; ++j) {
      V z = b1[j];
      for (int k = 0; k < kInputs; ++k) z += data.input(i, k) * w1[k][j];
      h[j] = Kind::value(z);
      out += h[j] * w2[j];
    }
    return Kind::output(out);
  }

  template <class Data> void step(const Data &data, int i, Real lr) {
    V h[H];
    const V out = forward(h, data, i);
    const V delta = Kind::output_times_slope(lr * (out - data.target(i)), out);
    for (int j = 0; j < H; ++j) {
      const V hidden_delta = Kind::times_slope(delta * w2[j], h[j]);
      for (int k = 0; k < kInputs; ++k) w1[k][j] -= hidden_delta * data.input(i, k);
      b1[j] -= hidden_delta;
      w2[j] -= delta * h[j];
    }
    b2 -= delta;
  }

  template <class Data> V loss(const Data &data) const {
    V h[H], total = {};
    for (int i = 0; i < kExamples; ++i) {
      const V error = forward(h, data, i) - data.target(i);
      total += error * error;
    }
    return total / Real(2 * kExamples);
  }
};

template <class Real, int lanes, class Kind, class Data>
void train(Real *losses, const Real *w1, const Real *b1, const Real *w2, const Real *b2, const Real *inputs,
           const Real *targets, Real lr, std::int64_t n_seeds, std::int64_t epochs, int threads) {
  std::atomic<std::int64_t> next{0};
  const auto work = [&] {
    const Data data(inputs, targets);
    for (std::int64_t first; (first = next.fetch_add(lanes)) < n_seeds;) {
      Block<Real, lanes, Kind> block(w1, b1, w2, b2, first, n_seeds);
      for (std::int64_t epoch = 0; epoch < epochs; ++epoch) {  // written out: up to a fifth faster than a loop
        block.step(data, 0, lr);
        block.step(data, 1, lr);
        block.step(data, 2, lr);
        block.step(data, 3, lr);
      }
      const auto loss = block.loss(data);
      for (int lane = 0; lane < lanes && first + lane < n_seeds; ++lane) losses[first + lane] = loss[lane];
    }
  };
  std::vector<std::thread> others;
  for (int t = 1; t < threads; ++t) others.emplace_back(work);
  work();
  for (auto &thread : others) thread.join();
}

}  // namespace

// Built with -DREAL=double|float -DKIND=Relu|Sigmoid -DDATA=GivenData|KnownData.
#define EXPORT(lanes)                                                                                               \
  extern "C" void train_##lanes(REAL *losses, const REAL *w1, const REAL *b1, const REAL *w2, const REAL *b2,         \
                                const REAL *inputs, const REAL *targets, REAL lr, std::int64_t n_seeds,               \
                                std::int64_t epochs, int threads) {                                                   \
    train<REAL, lanes, KIND, DATA<REAL>>(losses, w1, b1, w2, b2, inputs, targets, lr, n_seeds, epochs, threads);       \
  }
EXPORT(8)
EXPORT(16)
EXPORT(32)
