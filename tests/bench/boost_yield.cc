// The peer of green_yield.c: Boost.Fiber, its default scheduler (round_robin), pooled fixed-size stacks.
#include "bench.h"

#include <boost/fiber/all.hpp>
#include <vector>

static double
run(int threads, long yields)
{
        boost::fibers::pooled_fixedsize_stack stacks;
        std::vector<boost::fibers::fiber> fibers;
        long each = yields / threads;

        for (int i = 0; i < threads; i++) {
                fibers.emplace_back(boost::fibers::launch::post, std::allocator_arg, stacks, [each] {
                        for (long n = 0; n < each; n++)
                                boost::this_fiber::yield();
                });
        }
        double begin = bench_now();
        for (auto &fiber : fibers)
                fiber.join();
        return (bench_now() - begin) * 1e9 / (double)(each * threads);
}

int
main(int argc, char **argv)
{
        long yields = bench_count(argc, argv, 1, 10000000);

        (void)run(2, yields / 10 + 2);
        bench_print("yield_2", "ns", run(2, yields));
        bench_print("yield_100", "ns", run(100, yields));
}
